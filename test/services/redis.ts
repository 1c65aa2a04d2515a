// A real redis-server of Debian for tests: own folder, own port, gone with the test.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { isAlive } from './alive.ts'
import { DEADLINE_MS } from './deadline.ts'
import { freePort } from './free-port.ts'
import { requireCommand } from './require.ts'

export interface RedisOptions {
  /** What was answered survives kill -9. Left out: nothing is kept on disk. */
  readonly isDurable?: boolean
  /** More lines of redis.conf. */
  readonly settings?: readonly string[]
  /** A sentinel, which has commands of its own. */
  readonly isSentinel?: boolean
}

export interface RedisServer {
  readonly host: string
  readonly port: number
  readonly url: string
  pid(): number
  /** A connection of the test's own, opened anew after a restart. */
  client(): Redis
  /** kill -9. The data stays. */
  kill(): Promise<void>
  /** Starts again after `kill`; same port, same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Whether redis-server is missing; says so loudly, and fails instead when MILLRACE_REQUIRE_SERVICES=1. */
export function redisMissing(): boolean {
  return requireCommand('redis-server', 'install it with: apt-get install redis-server')
}

async function until(what: () => string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; !(await condition()); await sleep(10)) {
    if (Date.now() > deadline) throw new Error(`redis-server: not in ${DEADLINE_MS} ms: ${what()}`)
  }
}

// The shell holds a pipe of ours: when this process dies, however it dies, the pipe closes and server and data go too.
const GUARD = `exec 3<&0; data=$1; shift; "$@" </dev/null & p=$!
(read _ <&3; kill -9 $p; while kill -0 $p; do sleep 0.1; done; rm -rf "$data") 2>/dev/null & w=$!; wait $p; kill $w`

class Server {
  readonly #folder: string
  readonly #options: RedisOptions
  #child: ChildProcess | undefined
  #log = ''
  port = 0
  pid = 0

  constructor(folder: string, options: RedisOptions) {
    this.#folder = folder
    this.#options = options
  }

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const isFirst = this.port === 0
      this.port ||= await freePort()
      if (await this.#tryStart()) return
      if (attempt === 3) throw new Error(`redis-server does not start: ${this.#log}`)
      if (isFirst) this.port = 0
    }
  }

  async #tryStart(): Promise<boolean> {
    this.#log = ''
    const { isDurable = false, settings = [], isSentinel = false } = this.#options
    const file = join(this.#folder, 'redis.conf')
    const pidFile = join(this.#folder, 'redis.pid')
    await rm(pidFile, { force: true })
    const common = [`port ${this.port}`, 'bind 127.0.0.1', `dir ${this.#folder}`, `pidfile ${pidFile}`, 'logfile ""']
    const data = ['save ""', `appendonly ${isDurable ? 'yes' : 'no'}`, 'appendfsync always']
    const policy = ['maxmemory-policy noeviction', 'cluster-announce-ip 127.0.0.1']
    const lines = [...common, ...(isSentinel ? [] : [...data, ...policy]), ...settings]
    await writeFile(file, `${lines.join('\n')}\n`)
    const args = ['sh', this.#folder, 'redis-server', file, ...(isSentinel ? ['--sentinel'] : [])]
    const child = spawn('/bin/sh', ['-c', GUARD, ...args], { cwd: this.#folder, stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (this.#log = (this.#log + String(chunk)).slice(-4000)))
    }
    // The write end must stay open but must not keep the test process alive.
    child.unref()
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref()
    const isReady = (): boolean =>
      isSentinel ? /Sentinel ID is/.test(this.#log) : /Ready to accept connections/i.test(this.#log)
    await until(
      () => `start: ${this.#log}`,
      () => isReady() || child.exitCode !== null,
    )
    if (child.exitCode !== null) return false
    await until(
      () => 'its pid',
      async () => {
        this.pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'))
        return this.pid > 0
      },
    )
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

/** Starts a server; ask `redisMissing` first to skip. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'))
  const server = new Server(folder, options)
  await server.start()
  let client: Redis | undefined
  const disconnect = (): void => {
    client?.disconnect()
    client = undefined
  }
  return {
    host: '127.0.0.1',
    port: server.port,
    url: `redis://127.0.0.1:${server.port}`,
    pid: () => server.pid,
    client() {
      if (client === undefined) {
        client = new Redis({ port: server.port, host: '127.0.0.1', maxRetriesPerRequest: null, protocol: 2 })
        // A killed server ends its connections with an error; the next command says so too.
        client.on('error', () => undefined)
      }
      return client
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
