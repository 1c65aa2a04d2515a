import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import type { RedisSettings } from '../_shared/redis/index.ts'
import { readNode } from '../_shared/redis/index.ts'
import { CHARSETS } from './charset.ts'
import type { SinkTaskConfig } from './sink-task.ts'

type All = Readonly<Record<string, unknown>>

const server = {
  'redis.hosts': {
    type: 'list',
    default: ['localhost:6379'] as readonly string[],
    nonEmpty: true,
    importance: 'high',
    doc: 'The Redis hosts to connect to: one, or some nodes of a cluster.',
    validate: (hosts: readonly string[], all: All) => {
      const wrong = hosts.find((host) => readNode(host, 6379) === undefined)
      if (wrong !== undefined) return `"${wrong}" is not of the form host:port`
      return hosts.length > 1 && String(all['redis.client.mode']).toLowerCase() !== 'cluster'
        ? 'names several hosts; only redis.client.mode=Cluster takes them'
        : undefined
    },
    group: 'Redis',
  },
  'redis.client.mode': {
    type: 'string',
    default: 'Standalone',
    oneOf: ['Standalone', 'Cluster'],
    importance: 'medium',
    doc: 'The client mode to use when interacting with the Redis cluster.',
    group: 'Redis',
  },
  'redis.database': {
    type: 'int',
    default: 1,
    min: 0,
    importance: 'medium',
    doc: 'Redis database to connect to; a cluster has only one, and takes no notice.',
    group: 'Redis',
  },
  'redis.password': {
    type: 'password',
    default: '',
    importance: 'medium',
    doc: 'Password used to connect to Redis.',
    group: 'Redis',
  },
  'redis.ssl.enabled': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Flag to determine if SSL is enabled. Certificates are checked against those that Node trusts.',
    group: 'Redis',
  },
  'redis.ssl.ca.file': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'A file with certificates in PEM form to check with, in place of a Java trust store. An addition of Millrace.',
    group: 'Redis',
  },
  'redis.operation.timeout.ms': {
    type: 'long',
    default: 10_000,
    min: 100,
    importance: 'medium',
    doc: 'The amount of time in milliseconds before an operation is marked as timed out.',
    group: 'Redis',
  },
  'redis.connection.attempts': {
    type: 'int',
    default: 3,
    min: 1,
    importance: 'medium',
    doc: 'The number of attempts when connecting to Redis or writing, before the task fails.',
    group: 'Redis',
  },
  'redis.connection.retry.delay.ms': {
    type: 'int',
    default: 2000,
    min: 100,
    importance: 'medium',
    doc: 'The amount of milliseconds to wait between Redis connection attempts.',
    group: 'Redis',
  },
  'redis.charset': {
    type: 'string',
    default: 'UTF-8',
    oneOf: CHARSETS,
    ignoreCase: true,
    importance: 'low',
    doc: 'The character set to use for String key and values.',
    group: 'Redis',
  },
  'exactly.once': {
    type: 'boolean',
    default: false,
    importance: 'high',
    doc:
      'Whether to keep the offsets in Redis, written together with the records, so that each record is written once ' +
      'whatever fails. An addition of Millrace.',
    validate: (once: boolean, all: All) =>
      once && String(all['redis.client.mode']).toLowerCase() === 'cluster'
        ? 'is not possible with redis.client.mode=Cluster, where offsets and records are on different nodes'
        : undefined,
    group: 'Redis',
  },
} as const satisfies ConfigDef

const refused = (doc: string, fix: string) =>
  ({
    type: 'string',
    default: '',
    importance: 'low',
    doc,
    validate: (value: string) => (value === '' ? undefined : fix),
    group: 'Refused',
  }) as const
const accepted = (type: 'boolean' | 'int' | 'string') =>
  ({
    type,
    default: null,
    importance: 'low',
    doc: 'Accepted for configs that have it; it tunes the Java client.',
    group: 'Without effect',
  }) as const

const pem = 'is a Java store and cannot be read here; put the certificates in PEM form into redis.ssl.ca.file'
const others = {
  'redis.ssl.keystore.path': refused(
    'Refused: a Java key store cannot be read.',
    'is a Java store and cannot be read here; RedisSink takes a key and a certificate in PEM form',
  ),
  'redis.ssl.truststore.path': refused('Refused: a Java trust store cannot be read; use redis.ssl.ca.file.', pem),
  'redis.ssl.keystore.password': { ...accepted('string'), type: 'password' },
  'redis.ssl.truststore.password': { ...accepted('string'), type: 'password' },
  'redis.ssl.provider': accepted('string'),
  'redis.auto.reconnect.enabled': accepted('boolean'),
  'redis.request.queue.size': accepted('int'),
  'redis.socket.tcp.no.delay.enabled': accepted('boolean'),
  'redis.socket.keep.alive.enabled': accepted('boolean'),
  'redis.socket.connect.timeout.ms': accepted('int'),
} as const satisfies ConfigDef

/** The configuration of the key-value sink. */
export const keyValueSinkConfig = defineConfig({ ...server, ...others })

export type KeyValueSinkConfig = Parsed<typeof keyValueSinkConfig>

/** What it takes to connect. */
export function keyValueSettings(config: KeyValueSinkConfig): RedisSettings {
  const caFile = config['redis.ssl.ca.file'] || undefined
  return {
    mode: config['redis.client.mode'] === 'Cluster' ? 'cluster' : 'standalone',
    nodes: config['redis.hosts'].flatMap((host) => readNode(host, 6379) ?? []),
    sentinelMaster: '',
    sentinelUsername: undefined,
    sentinelPassword: undefined,
    username: undefined,
    password: config['redis.password'] || undefined,
    database: config['redis.database'],
    tls: config['redis.ssl.enabled']
      ? { insecure: false, caFile, certFile: undefined, keyFile: undefined, keyPassword: undefined }
      : undefined,
    timeoutMs: config['redis.operation.timeout.ms'],
  }
}

/** The same as a configuration of the Redis sink. */
export function keyValueTaskConfig(config: KeyValueSinkConfig): SinkTaskConfig {
  return {
    'redis.type': 'STRING',
    'redis.keyspace': '',
    'redis.separator': ':',
    'redis.key.ttl': -1,
    'redis.charset': config['redis.charset'],
    'behavior.on.null.values': 'delete',
    'batch.size': 1000,
    'linger.ms': 5,
    'max.retries': config['redis.connection.attempts'] - 1,
    'retry.backoff.ms': config['redis.connection.retry.delay.ms'],
    'redis.multiexec': false,
    'redis.wait.replicas': 0,
    'redis.wait.timeout': 1000,
    'exactly.once': config['exactly.once'],
    'exactly.once.offsets.keyspace': '__kafka.offset',
  }
}
