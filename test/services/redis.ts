// A real redis-server of Debian for tests: own folder, own port, gone with the test.
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { GuardedServer } from './guarded-server.ts'
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

function linesOf({ isDurable = false, settings = [], isSentinel = false }: RedisOptions): readonly string[] {
  const data = ['save ""', `appendonly ${isDurable ? 'yes' : 'no'}`, 'appendfsync always']
  const policy = ['maxmemory-policy noeviction', 'cluster-announce-ip 127.0.0.1']
  return ['bind 127.0.0.1', 'logfile ""', ...(isSentinel ? [] : [...data, ...policy]), ...settings]
}

function serverIn(folder: string, options: RedisOptions): GuardedServer {
  const file = join(folder, 'redis.conf')
  const isReady = options.isSentinel ? /Sentinel ID is/ : /Ready to accept connections/i
  return new GuardedServer({
    name: 'redis-server',
    folder,
    command(port, pidFile) {
      // A sentinel writes what it has learned into its file; each start begins anew.
      const lines = [`port ${port}`, `dir ${folder}`, `pidfile ${pidFile}`, ...linesOf(options)]
      writeFileSync(file, `${lines.join('\n')}\n`)
      return ['redis-server', file, ...(options.isSentinel ? ['--sentinel'] : [])]
    },
    isReady: (log) => isReady.test(log),
  })
}

/** Starts a server; ask `redisMissing` first to skip. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'))
  const server = serverIn(folder, options)
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
