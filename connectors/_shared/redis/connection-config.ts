import { type ConfigDef, ConfigError, type Parsed } from '@millrace/sdk'
import { type RedisNode, type RedisSettings, type RedisTls, readNode, readUri } from './settings.ts'

type All = Readonly<Record<string, unknown>>

const filled = (value: unknown): boolean => Array.isArray(value) && value.length > 0

const nodesProblem = (nodes: readonly string[]): string | undefined => {
  const wrong = nodes.find((node) => readNode(node, 6379) === undefined)
  return wrong === undefined ? undefined : `"${wrong}" is not of the form host:port`
}

const places = {
  'redis.uri': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc:
      'Where Redis is, in one text that wins over redis.host and the others: redis://user:password@host:6379/0, ' +
      'rediss:// with TLS, redis-sentinel://host1:26379,host2:26379/0#master.',
    example: 'redis://localhost:6379',
    validate: (uri: string) => {
      if (uri === '') return undefined
      const read = readUri(uri)
      return typeof read === 'string' ? read : undefined
    },
    group: 'Redis',
    width: 'long',
    displayName: 'Redis URI',
  },
  'redis.host': {
    type: 'string',
    default: 'localhost',
    nonEmpty: true,
    importance: 'high',
    doc: 'The Redis host to connect to.',
    group: 'Redis',
    displayName: 'Host',
  },
  'redis.port': {
    type: 'int',
    default: 6379,
    min: 1,
    max: 65535,
    importance: 'high',
    doc: 'The Redis port to connect to.',
    group: 'Redis',
    displayName: 'Port',
  },
  'redis.database': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'medium',
    doc: 'The number of the database. A cluster has only 0.',
    validate: (database: number, all: All) =>
      database > 0 && all['redis.cluster'] === true ? 'has to be 0, for a cluster has no others' : undefined,
    group: 'Redis',
    displayName: 'Database',
  },
  'redis.username': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'Username to use to connect to Redis.',
    group: 'Redis',
    displayName: 'Username',
  },
  'redis.password': {
    type: 'password',
    default: '',
    importance: 'medium',
    doc: 'Password to use to connect to Redis.',
    group: 'Redis',
    displayName: 'Password',
  },
  'redis.timeout': {
    type: 'long',
    default: 60,
    min: 1,
    importance: 'medium',
    doc: 'Redis command timeout in seconds. What is not answered by then counts as failed, on a new connection.',
    group: 'Redis',
    displayName: 'Timeout (s)',
  },
} as const satisfies ConfigDef

const many = {
  'redis.cluster': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Connect to a Redis Cluster database.',
    validate: (cluster: boolean, all: All) =>
      cluster && filled(all['redis.sentinel.nodes'])
        ? 'and redis.sentinel.nodes exclude each other; remove one of them'
        : undefined,
    group: 'Redis',
    displayName: 'Cluster',
  },
  'redis.cluster.nodes': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'Some nodes of the cluster, host:port, to learn the others from; empty takes redis.host. An addition of Millrace.',
    validate: (nodes: readonly string[]) => nodesProblem(nodes),
    group: 'Redis',
    displayName: 'Cluster nodes',
  },
  'redis.sentinel.nodes': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'Sentinels, host:port, which are asked where the master is. An addition of Millrace.',
    validate: (nodes: readonly string[]) => nodesProblem(nodes),
    group: 'Redis',
    displayName: 'Sentinels',
  },
  'redis.sentinel.master': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The name of the master that the sentinels watch. An addition of Millrace.',
    validate: (master: string, all: All) =>
      master === '' && filled(all['redis.sentinel.nodes'])
        ? 'is needed with redis.sentinel.nodes: the name that the sentinels know the master by'
        : undefined,
    group: 'Redis',
    displayName: 'Sentinel master',
  },
  'redis.sentinel.username': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Username for the sentinels. An addition of Millrace.',
    group: 'Redis',
    displayName: 'Sentinel username',
  },
  'redis.sentinel.password': {
    type: 'password',
    default: '',
    importance: 'low',
    doc: 'Password for the sentinels. An addition of Millrace.',
    group: 'Redis',
    displayName: 'Sentinel password',
  },
  'redis.pool': {
    type: 'int',
    default: 8,
    min: 1,
    importance: 'low',
    doc: 'Accepted for configs that have it; a task has one connection, on which requests follow each other.',
    group: 'Redis',
    displayName: 'Pool',
  },
} as const satisfies ConfigDef

const tls = {
  'redis.tls': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Establish a secure TLS connection.',
    group: 'TLS',
    displayName: 'TLS',
  },
  'redis.insecure': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Allow insecure connections (e.g. invalid certificates) to Redis when using SSL.',
    group: 'TLS',
    displayName: 'Insecure',
  },
  'redis.cacert': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'X.509 CA certificate file to verify with.',
    group: 'TLS',
    displayName: 'CA file',
  },
  'redis.key.cert': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'X.509 certificate chain file to authenticate with (PEM format).',
    group: 'TLS',
    displayName: 'Certificate file',
  },
  'redis.key.file': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'PKCS#8 private key file to authenticate with (PEM format).',
    validate: (file: string, all: All) =>
      (file === '') === ((all['redis.key.cert'] ?? '') === '')
        ? undefined
        : 'and redis.key.cert belong together; set both or none',
    group: 'TLS',
    displayName: 'Key file',
  },
  'redis.key.password': {
    type: 'password',
    default: '',
    importance: 'medium',
    doc: 'Password of the private key file. Leave empty if key file is not password-protected.',
    group: 'TLS',
    displayName: 'Key password',
  },
} as const satisfies ConfigDef

/** The keys with which connectors find their Redis; the names are those of the Redis Kafka connector. */
export const redisConnectionConfig = { ...places, ...many, ...tls } as const satisfies ConfigDef

export type RedisConnectionConfig = Parsed<typeof redisConnectionConfig>

/** Collects what it takes to connect. */
export function redisSettings(config: RedisConnectionConfig): RedisSettings {
  const uri = config['redis.uri'] === '' ? undefined : readUri(config['redis.uri'])
  if (typeof uri === 'string') throw new ConfigError(`redis.uri: ${uri}`, { key: 'redis.uri' })
  const sentinels = uri?.sentinels ?? nodesOf(config['redis.sentinel.nodes'], 26379)
  const single: RedisNode = uri?.node ?? { host: config['redis.host'], port: config['redis.port'] }
  const clusterNodes = nodesOf(config['redis.cluster.nodes'], 6379)
  const mode = config['redis.cluster'] ? 'cluster' : sentinels.length > 0 ? 'sentinel' : 'standalone'
  return {
    mode,
    nodes: mode === 'sentinel' ? sentinels : mode === 'cluster' && clusterNodes.length > 0 ? clusterNodes : [single],
    sentinelMaster: uri?.master ?? config['redis.sentinel.master'],
    sentinelUsername: config['redis.sentinel.username'] || undefined,
    sentinelPassword: config['redis.sentinel.password'] || undefined,
    username: (uri?.username ?? config['redis.username']) || undefined,
    password: (uri?.password ?? config['redis.password']) || undefined,
    database: uri?.database ?? config['redis.database'],
    tls: config['redis.tls'] || uri?.tls === true ? tlsOf(config) : undefined,
    timeoutMs: config['redis.timeout'] * 1000,
  }
}

function nodesOf(texts: readonly string[], port: number): RedisNode[] {
  return texts.flatMap((text) => readNode(text, port) ?? [])
}

function tlsOf(config: RedisConnectionConfig): RedisTls {
  return {
    insecure: config['redis.insecure'],
    caFile: config['redis.cacert'] || undefined,
    certFile: config['redis.key.cert'] || undefined,
    keyFile: config['redis.key.file'] || undefined,
    keyPassword: config['redis.key.password'] || undefined,
  }
}
