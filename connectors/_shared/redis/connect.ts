import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import { ConnectError, RetriableError } from '@millrace/sdk'
import type { Cluster, Redis, RedisOptions } from 'ioredis'
import { isConnectionLost } from './failures.ts'
import type { RedisSettings, RedisTls } from './settings.ts'

export type RedisClient = Redis | Cluster
/** Replies come as protocol 2 has them, which needs no choice of a mapping. */
export type PlainRedisOptions = Omit<RedisOptions, 'replyMapping'>

const CONNECT_TIMEOUT_MS = 10_000

/** The options of a client that fails at once when its connection does: who uses it decides what is done again. */
export async function redisOptions(settings: RedisSettings): Promise<PlainRedisOptions> {
  const tls = settings.tls && (await tlsOptions(settings.tls))
  const options: PlainRedisOptions = {
    db: settings.database,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // One timer for the connection: a timer for each command costs more than a small command itself.
    socketTimeout: settings.timeoutMs,
    // A command whose answer is lost must not be sent again behind our back, for it may have been carried out.
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    protocol: 2,
    connectionName: 'millrace',
    lazyConnect: true,
  }
  if (settings.username !== undefined) options.username = settings.username
  if (settings.password !== undefined) options.password = settings.password
  if (tls !== undefined) options.tls = tls
  if (settings.mode === 'sentinel') {
    options.sentinels = [...settings.nodes]
    options.name = settings.sentinelMaster
    options.sentinelRetryStrategy = () => null
    if (settings.sentinelUsername !== undefined) options.sentinelUsername = settings.sentinelUsername
    if (settings.sentinelPassword !== undefined) options.sentinelPassword = settings.sentinelPassword
    if (tls !== undefined) Object.assign(options, { enableTLSForSentinelMode: true, sentinelTLS: tls })
  } else if (settings.mode === 'standalone') {
    options.host = settings.nodes[0]?.host ?? 'localhost'
    options.port = settings.nodes[0]?.port ?? 6379
  }
  return options
}

async function tlsOptions({ insecure, caFile, certFile, keyFile, keyPassword }: RedisTls): Promise<ConnectionOptions> {
  const read = async (key: string, file: string): Promise<Buffer> => {
    try {
      return await readFile(file)
    } catch (error) {
      throw new ConnectError(`${key}: cannot read ${file}: ${(error as Error).message}`, { cause: error })
    }
  }
  return {
    rejectUnauthorized: !insecure,
    ...(caFile === undefined ? {} : { ca: await read('redis.cacert', caFile) }),
    ...(certFile === undefined ? {} : { cert: await read('redis.key.cert', certFile) }),
    ...(keyFile === undefined ? {} : { key: await read('redis.key.file', keyFile) }),
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
  }
}

/** Opens a connection that is ready. RetriableError when the server cannot be reached for now. */
export async function connectRedis(settings: RedisSettings, overrides: PlainRedisOptions = {}): Promise<RedisClient> {
  const { Cluster, Redis } = await import('ioredis')
  const options = { ...(await redisOptions(settings)), ...overrides }
  const client =
    settings.mode === 'cluster' ? new Cluster([...settings.nodes], clusterOptions(options)) : new Redis(options)
  let reason: Error | undefined
  // The reason comes as an event, and the promise then only says that the connection is closed.
  client.on('error', (error: Error) => (reason ??= error))
  try {
    await client.connect()
    return client
  } catch (error) {
    client.disconnect()
    throw connectFailure(settings, reason ?? error)
  }
}

function clusterOptions(options: PlainRedisOptions) {
  const { lazyConnect: _, retryStrategy: __, db: ___, ...rest } = options
  return {
    lazyConnect: true,
    clusterRetryStrategy: () => null,
    enableOfflineQueue: true,
    redisOptions: { ...rest, maxRetriesPerRequest: null },
  }
}

function connectFailure(settings: RedisSettings, reason: unknown): Error {
  const place = settings.nodes.map(({ host, port }) => `${host}:${port}`).join(',')
  const who = settings.mode === 'sentinel' ? `the master "${settings.sentinelMaster}" by the sentinels ${place}` : place
  const text = reason instanceof Error ? reason.message : String(reason)
  const message = `cannot connect to Redis at ${who}: ${text}`
  const isPassing = isConnectionLost(reason) || /^(LOADING|MASTERDOWN|CLUSTERDOWN|ERR max number of clients)/.test(text)
  return isPassing ? new RetriableError(message, { cause: reason }) : new ConnectError(message, { cause: reason })
}
