// A real MariaDB of Debian for tests: own folder, own port, gone with the test.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, createConnection } from 'mysql2/promise'
import { GuardedServer } from './guarded-server.ts'
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

const owner = (): readonly string[] => (process.getuid?.() === 0 ? ['--user=root'] : [])

async function install(data: string): Promise<void> {
  const args = [`--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db', ...owner()]
  const child = spawn('mariadb-install-db', ['--no-defaults', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`mariadb-install-db failed with ${String(code)}: ${said.slice(-4000)}`)
}

function serverIn(folder: string, data: string, settings: readonly string[]): GuardedServer {
  return new GuardedServer({
    name: 'mariadbd',
    folder,
    command: (port, pidFile) => [
      MARIADBD,
      '--no-defaults',
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(folder, 'mariadbd.sock')}`,
      `--pid-file=${pidFile}`,
      ...owner(),
      ...SETTINGS,
      ...settings,
    ],
    isReady: (log) => /ready for connections/.test(log),
  })
}

/** Starts a server, with more options of mariadbd; ask `mariadbMissing` first to skip. */
export async function startMariaDb(settings: readonly string[] = []): Promise<MariaDb> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-mariadb-'))
  const data = join(folder, 'data')
  await install(data)
  const server = serverIn(folder, data, settings)
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
