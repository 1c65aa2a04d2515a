import { ConnectError } from '@millrace/sdk'
import type { ElasticsearchConfig } from './config.ts'
import { failureOf } from './failures.ts'
import { type ServerKind, serverKindOf } from './server-kind.ts'
import { tlsOptions } from './tls-options.ts'

export interface SearchRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST'
  readonly path: string
  readonly querystring?: Readonly<Record<string, string>>
  /** A body that is JSON. */
  readonly body?: object
  /** Lines of JSON. */
  readonly lines?: Buffer
  readonly signal?: AbortSignal
  /** Statuses that are answers and no errors. */
  readonly ignore?: readonly number[]
}

export interface SearchAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: unknown
}

/** What the connector needs of a server, whatever it is. */
export interface SearchServer {
  readonly kind: ServerKind
  /** Rejects with the client's errors, which `failureOf` understands. */
  request(request: SearchRequest): Promise<SearchAnswer>
  close(): Promise<void>
}

/** The part of both client packages that is used. */
interface Client {
  readonly transport: { request(params: object, options: object): Promise<unknown> }
  close(): Promise<void>
}

type Package = { readonly Client: new (options: object) => Client }

const PROBE_ACCEPT = 'application/vnd.elasticsearch+json; compatible-with=9'
/** What the probe may be answered with: it only wants to see who answers. */
const ANY = [400, 401, 403, 404, 405, 406, 415]

/** Connects to the servers: asks what they are unless the configuration says so, and takes the client for it. */
export async function connect(config: ElasticsearchConfig, signal?: AbortSignal): Promise<SearchServer> {
  const asked = config['elastic.server']
  const kind = asked === 'auto' ? await probe(config, signal) : asked
  return open(config, kind)
}

async function probe(config: ElasticsearchConfig, signal?: AbortSignal): Promise<ServerKind> {
  const server = await open(config, 'opensearch')
  try {
    const answer = await server.request({
      method: 'GET',
      path: '/',
      ignore: ANY,
      ...(signal ? { signal } : {}),
    })
    if (answer.statusCode === 401) {
      throw new ConnectError('the server refused the login; check connection.username and connection.password')
    }
    return serverKindOf(answer)
  } catch (error) {
    throw failureOf(error).error
  } finally {
    await server.close()
  }
}

async function open(config: ElasticsearchConfig, kind: ServerKind): Promise<SearchServer> {
  const { Client, plain, http } = await packageFor(kind)
  const client = new Client({
    ...options(config),
    ...(kind === 'opensearch' ? plain : {}),
    ...(proxyOf(config) ? http : {}),
  })
  return {
    kind,
    async request({ method, path, querystring, body, lines, signal, ignore }) {
      const isProbe = path === '/'
      const headers = isProbe ? { accept: PROBE_ACCEPT } : {}
      const answer = await client.transport.request(
        { method, path, querystring, body, bulkBody: lines },
        { meta: true, maxRetries: 0, signal, ignore, headers },
      )
      return answer as SearchAnswer
    },
    close: () => client.close(),
  }
}

/** Imports the client only where a task runs: each is some 15 MB. */
async function packageFor(kind: ServerKind): Promise<{ Client: Package['Client']; plain: object; http: object }> {
  if (kind === 'elasticsearch-8') {
    const { Client, HttpConnection } = await import('elasticsearch-8')
    return { Client: Client as unknown as Package['Client'], plain: {}, http: { Connection: HttpConnection } }
  }
  const { Client, HttpConnection, Transport } = await import('@elastic/elasticsearch')
  // Without the check of the product's name and the versioned media types, which only Elasticsearch knows.
  class PlainTransport extends Transport {
    constructor(given: ConstructorParameters<typeof Transport>[0]) {
      const { productCheck: _check, vendoredHeaders: _headers, ...rest } = given
      super(rest)
    }
  }
  return {
    Client: Client as unknown as Package['Client'],
    plain: { Transport: PlainTransport },
    http: { Connection: HttpConnection },
  }
}

function options(config: ElasticsearchConfig): object {
  const urls = config['connection.url']
  const isSecure = urls.some((url) => url.startsWith('https:'))
  const nodes = isSecure ? urls.map((url) => url.replace(/^http:/, 'https:')) : urls
  const username = config['connection.username']
  const proxy = proxyOf(config)
  const idleMs = config['max.connection.idle.time.ms']
  const connections = config['max.in.flight.requests'] + 1
  return {
    nodes,
    ...(username ? { auth: { username, password: config['connection.password'] } } : {}),
    ...(isSecure ? { tls: tlsOptions(config) } : {}),
    ...(proxy ? { proxy } : {}),
    agent: proxy
      ? { keepAlive: true, timeout: idleMs, maxSockets: connections }
      : {
          connectTimeout: config['connection.timeout.ms'],
          keepAliveTimeout: idleMs,
          keepAliveMaxTimeout: idleMs,
          connections,
        },
    requestTimeout: config['read.timeout.ms'],
    compression: config['connection.compression'],
    maxRetries: 0,
  }
}

function proxyOf(config: ElasticsearchConfig): string | undefined {
  if (config['proxy.host'] === '') return undefined
  const url = new URL(`http://${config['proxy.host']}:${config['proxy.port']}`)
  url.username = config['proxy.username']
  url.password = config['proxy.password']
  return url.href
}
