// A real MariaDB of Debian for tests: own folder, own port, gone with the test.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, createConnection } from 'mysql2/promise'
import { isAlive } from './alive.ts'
import { DEADLINE_MS } from './deadline.ts'
import { freePort } from './free-port.ts'
import { requireCommand } from './require.ts'

export interface MariaDb {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** Runs one statement and gives its rows; numbers beyond doubles and times are texts. */
  query(sql: string, parameters?: readonly (string | number)[]): Promise<Record<string, any>[]>
  /** A connection of its own, closed with the server. */
  connect(): Promise<Connection>
  /** kill -9. The data stays. */
  kill(): Promise<void>
  /** Starts again after `kill`; same port, same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Where Debian puts it, which is not in the path of every user. */
const MARIADBD = '/usr/sbin/mariadbd'

/** Whether mariadbd is missing; says so loudly, and fails instead when MILLRACE_REQUIRE_SERVICES=1. */
export function mariadbMissing(): boolean {
  return requireCommand(MARIADBD, 'install it with: apt-get install mariadb-server')
}

async function until(what: () => string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; !(await condition()); await sleep(10)) {
    if (Date.now() > deadline) throw new Error(`mariadbd: not in ${DEADLINE_MS} ms: ${what()}`)
  }
}

// The shell holds a pipe of ours: when this process dies, however it dies, the pipe closes and server and data go too.
const GUARD = `exec 3<&0; data=$1; shift; "$@" </dev/null & p=$!
(read _ <&3; kill -9 $p; while kill -0 $p; do sleep 0.1; done; rm -rf "$data") 2>/dev/null & w=$!; wait $p; kill $w`

/** Small and quick: no cache of a server that owns its machine. What is committed is on disk for the kernel to keep. */
const SETTINGS = [
  '--innodb-buffer-pool-size=32M',
  '--innodb-log-file-size=32M',
  '--innodb-flush-log-at-trx-commit=2',
  '--innodb-flush-method=fsync',
  '--performance-schema=OFF',
  '--skip-log-bin',
  '--skip-name-resolve',
  '--character-set-server=utf8mb4',
  '--default-time-zone=+00:00',
]

class Server {
  readonly #folder: string
  readonly #settings: readonly string[]
  #child: ChildProcess | undefined
  #log = ''
  port = 0
  pid = 0

  constructor(folder: string, settings: readonly string[]) {
    this.#folder = folder
    this.#settings = settings
  }

  get data(): string {
    return join(this.#folder, 'data')
  }

  async install(): Promise<void> {
    const owner = process.getuid?.() === 0 ? ['--user=root'] : []
    const args = [`--datadir=${this.data}`, '--auth-root-authentication-method=normal', '--skip-test-db', ...owner]
    const child = spawn('mariadb-install-db', ['--no-defaults', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)))
    const code = await new Promise((resolve) => child.once('close', resolve))
    if (code !== 0) throw new Error(`mariadb-install-db failed with ${String(code)}: ${said.slice(-4000)}`)
  }

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const isFirst = this.port === 0
      this.port ||= await freePort()
      if (await this.#tryStart()) return
      if (attempt === 3) throw new Error(`mariadbd does not start: ${this.#log}`)
      if (isFirst) this.port = 0
    }
  }

  async #tryStart(): Promise<boolean> {
    this.#log = ''
    const pidFile = join(this.#folder, 'mariadbd.pid')
    await rm(pidFile, { force: true })
    const owner = process.getuid?.() === 0 ? ['--user=root'] : []
    const args = [
      '--no-defaults',
      `--datadir=${this.data}`,
      `--port=${this.port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(this.#folder, 'mariadbd.sock')}`,
      `--pid-file=${pidFile}`,
      ...owner,
      ...SETTINGS,
      ...this.#settings,
    ]
    const child = spawn('/bin/sh', ['-c', GUARD, 'sh', this.#folder, MARIADBD, ...args], {
      cwd: this.#folder,
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    this.#child = child
    child.stderr.on('data', (chunk) => (this.#log = (this.#log + String(chunk)).slice(-4000)))
    // The write end must stay open but must not keep the test process alive.
    child.unref()
    for (const stream of [child.stdin, child.stderr]) (stream as unknown as { unref(): void }).unref()
    await until(
      () => `start: ${this.#log}`,
      () => /ready for connections/.test(this.#log) || child.exitCode !== null,
    )
    if (child.exitCode !== null) return false
    this.pid = Number(await readFile(pidFile, 'utf8'))
    return true
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return
    process.kill(this.pid, 'SIGKILL')
    await until(
      () => `end: ${this.#log}`,
      () => child.exitCode !== null && !isAlive(this.pid),
    )
  }
}

/** Starts a server, with more options of mariadbd; ask `mariadbMissing` first to skip. */
export async function startMariaDb(settings: readonly string[] = []): Promise<MariaDb> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-mariadb-'))
  const server = new Server(folder, settings)
  await server.install()
  await server.start()
  const account = { user: 'millrace', password: 'mill-race' }
  const open = new Set<Connection>()
  const connect = async (user?: typeof account): Promise<Connection> => {
    const client = await createConnection({
      host: '127.0.0.1',
      port: server.port,
      ...(user === undefined ? { user: 'root' } : { ...user, database: 'shop' }),
      supportBigNumbers: true,
      dateStrings: true,
    })
    // A killed server ends its connections with an error; the next statement says so too.
    client.on('error', () => undefined)
    open.add(client)
    return client
  }
  let shared: Promise<Connection> | undefined
  const disconnect = (): void => {
    for (const client of open) client.destroy()
    open.clear()
    shared = undefined
  }
  const root = await connect()
  await root.query('CREATE DATABASE shop')
  await root.query(`CREATE USER ${account.user} IDENTIFIED BY '${account.password}'`)
  await root.query(`GRANT ALL ON *.* TO ${account.user} WITH GRANT OPTION`)
  disconnect()
  return {
    host: '127.0.0.1',
    port: server.port,
    ...account,
    database: 'shop',
    connect: () => connect(account),
    async query(sql, parameters) {
      shared ??= connect(account)
      const [rows] = await (await shared).query(sql, parameters as (string | number)[])
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : []
    },
    async kill() {
      await server.kill()
      disconnect()
    },
    restart: () => server.start(),
    async stop() {
      disconnect()
      await server.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
