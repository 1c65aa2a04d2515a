export interface RedisNode {
  readonly host: string
  readonly port: number
}

export interface RedisTls {
  readonly insecure: boolean
  readonly caFile: string | undefined
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  readonly keyPassword: string | undefined
}

/** What it takes to connect. */
export interface RedisSettings {
  readonly mode: 'standalone' | 'cluster' | 'sentinel'
  /** The server, some nodes of the cluster, or the sentinels. */
  readonly nodes: readonly RedisNode[]
  readonly sentinelMaster: string
  readonly sentinelUsername: string | undefined
  readonly sentinelPassword: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number
  readonly tls: RedisTls | undefined
  readonly timeoutMs: number
}

export interface RedisUri {
  readonly tls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
  readonly node: RedisNode | undefined
  readonly sentinels: readonly RedisNode[] | undefined
  readonly master: string | undefined
  readonly database: number | undefined
}

const DEFAULT_PORT = 6379
const SENTINEL_PORT = 26379

/** Reads `host`, `host:port` or `[::1]:port`; undefined when it is none. */
export function readNode(text: string, defaultPort: number): RedisNode | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text.trim())
  const host = match?.[1] ?? match?.[2]
  if (host === undefined) return undefined
  const port = match?.[3] === undefined ? defaultPort : Number(match[3])
  return port >= 1 && port <= 65535 ? { host, port } : undefined
}

/** Reads a URI as Redis clients write it; a text says what is wrong with it. It never quotes the password. */
export function readUri(uri: string): RedisUri | string {
  const match =
    /^(rediss?|redis-sentinel|rediss-sentinel):\/\/(?:([^@/]*)@)?([^/?#]*)(?:\/(\d*))?(?:\?[^#]*)?(?:#(.*))?$/.exec(uri)
  if (match === null) return 'is not of the form redis://user:password@host:port/database'
  const [, scheme = '', credentials, hosts = '', database, master] = match
  const isSentinel = scheme.endsWith('-sentinel')
  const nodes = hosts.split(',').map((host) => readNode(host, isSentinel ? SENTINEL_PORT : DEFAULT_PORT))
  if (nodes.includes(undefined)) return `the hosts "${hosts}" are not of the form host:port`
  if (!isSentinel && nodes.length > 1) return 'names several hosts; only redis-sentinel:// takes them'
  if (isSentinel && (master ?? '') === '') return 'names no master; add #name, as the sentinels know it'
  const found = nodes as RedisNode[]
  const [username, password] = readCredentials(credentials)
  return {
    tls: scheme.startsWith('rediss'),
    username,
    password,
    node: isSentinel ? undefined : found[0],
    sentinels: isSentinel ? found : undefined,
    master,
    database: database === undefined || database === '' ? undefined : Number(database),
  }
}

/** `user:password`, or a password alone, as Redis had it before there were users. */
function readCredentials(text: string | undefined): [string | undefined, string | undefined] {
  if (text === undefined || text === '') return [undefined, undefined]
  const colon = text.indexOf(':')
  if (colon === -1) return [undefined, decoded(text)]
  return [decoded(text.slice(0, colon)) || undefined, decoded(text.slice(colon + 1)) || undefined]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
