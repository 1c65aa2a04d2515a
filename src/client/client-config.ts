import type { Clock, Logger, Net, Random } from '../base/index.ts'
import { KafkaError } from './errors.ts'

/** What a client needs of the world around it. */
export interface ClientEnvironment {
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Options of every client, with the names and defaults of Kafka's. */
export interface ClientOptions extends ClientEnvironment {
  /** `host:port` pairs, comma separated or as a list. */
  readonly bootstrapServers: string | readonly string[]
  readonly clientId?: string | null
  readonly requestTimeoutMs?: number
  /** How long an operation that needs several requests may take in all. */
  readonly defaultApiTimeoutMs?: number
  readonly connectTimeoutMs?: number
  readonly reconnectBackoffMs?: number
  readonly reconnectBackoffMaxMs?: number
  readonly retryBackoffMs?: number
  readonly retryBackoffMaxMs?: number
  readonly metadataMaxAgeMs?: number
  /** `rebootstrap` goes back to the bootstrap servers when no known broker answers. */
  readonly metadataRecoveryStrategy?: 'rebootstrap' | 'none'
  readonly connectionsMaxIdleMs?: number
  /** A larger answer closes the connection. */
  readonly maxResponseBytes?: number
  readonly allowAutoCreateTopics?: boolean
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** Client options with defaults filled in. */
export interface ClientConfig extends ClientEnvironment {
  readonly bootstrapServers: readonly Address[]
  readonly clientId: string | null
  readonly requestTimeoutMs: number
  readonly defaultApiTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly metadataMaxAgeMs: number
  readonly metadataRecoveryStrategy: 'rebootstrap' | 'none'
  readonly connectionsMaxIdleMs: number
  readonly maxResponseBytes: number
  readonly allowAutoCreateTopics: boolean
}

export function configError(key: string, value: unknown, reason: string): KafkaError {
  return new KafkaError('CLIENT_CONFIG', `Invalid value ${String(value)} for configuration ${key}: ${reason}`)
}

function parseAddress(text: string): Address {
  const match = /^(?:[A-Z_]+:\/\/)?(?:\[([^\]]+)\]|([^:[\]]+)):(\d+)$/.exec(text.trim())
  const port = Number(match?.[3])
  if (!match || port < 1 || port > 65535) {
    throw configError('bootstrap.servers', text, 'write host:port, for example localhost:9092')
  }
  return { host: (match[1] ?? match[2])!, port }
}

/** Fills in Kafka's defaults; throws CLIENT_CONFIG with the key and what is allowed. */
export function resolveClientConfig(options: ClientOptions): ClientConfig {
  const given = options.bootstrapServers
  const list = (typeof given === 'string' ? given.split(',') : [...given]).filter((entry) => entry.trim() !== '')
  if (list.length === 0) throw configError('bootstrap.servers', given, 'at least one host:port is needed')
  return {
    net: options.net,
    clock: options.clock,
    random: options.random,
    logger: options.logger,
    bootstrapServers: list.map(parseAddress),
    clientId: options.clientId ?? 'millrace',
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    defaultApiTimeoutMs: options.defaultApiTimeoutMs ?? 60_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    reconnectBackoffMs: options.reconnectBackoffMs ?? 50,
    reconnectBackoffMaxMs: options.reconnectBackoffMaxMs ?? 1000,
    retryBackoffMs: options.retryBackoffMs ?? 100,
    retryBackoffMaxMs: options.retryBackoffMaxMs ?? 1000,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? 300_000,
    metadataRecoveryStrategy: options.metadataRecoveryStrategy ?? 'rebootstrap',
    connectionsMaxIdleMs: options.connectionsMaxIdleMs ?? 540_000,
    maxResponseBytes: options.maxResponseBytes ?? 128 * 1024 * 1024,
    allowAutoCreateTopics: options.allowAutoCreateTopics ?? true,
  }
}
