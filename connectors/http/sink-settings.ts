import type { RawConfig } from '@millrace/sdk'
import type { Backoff } from '../_shared/retry/index.ts'
import type { AuthSettings } from './auth.ts'
import type { ClientSettings } from './client.ts'
import { proxyAt } from './proxy.ts'
import type { HttpSinkConfig } from './sink-config.ts'

const BACKOFF_MAX_MS = 60_000
/** How much of an answer is kept for its topic and for messages. */
const ANSWER_BYTES = 256 * 1024
const KEEP_ALIVE_MS = 30_000

/** The form of requests. */
export interface BatchForm {
  readonly records: number
  readonly prefix: string
  readonly suffix: string
  readonly separator: string
}

/** Whether the words are those of the Confluent connector, whose defaults differ. */
export function isConfluent(raw: RawConfig): boolean {
  return raw['http.url'] === undefined && raw['http.api.url'] !== undefined
}

/** How records share requests. White space counts, so these are read as they were written. */
export function batchForm(config: HttpSinkConfig, raw: RawConfig): BatchForm {
  const size = config['batch.max.size']
  const isBatching = config['batching.enabled'] ?? (isConfluent(raw) && size !== null)
  const records = isBatching ? (size ?? 500) : 1
  if (config['batch.json.as.array']) return { records, prefix: '[', suffix: ']', separator: ',' }
  if (!isBatching) return { records, prefix: '', suffix: '', separator: '' }
  const end = isConfluent(raw) ? '' : '\n'
  return {
    records,
    prefix: raw['batch.prefix'] ?? '',
    suffix: raw['batch.suffix'] ?? end,
    separator: raw['batch.separator'] ?? (isConfluent(raw) ? ',' : '\n'),
  }
}

export function backoffOf(config: HttpSinkConfig, raw: RawConfig): Backoff {
  const backoffMs = config['retry.backoff.ms']
  const longest = config['kafka.retry.backoff.ms']
  return {
    maxRetries: longest === null ? (config['max.retries'] ?? (isConfluent(raw) ? 10 : 1)) : Number.POSITIVE_INFINITY,
    backoffMs,
    maxBackoffMs: longest ?? Math.max(BACKOFF_MAX_MS, backoffMs),
  }
}

/** The statuses to try again at; null for the usual ones. */
export function retriedStatuses(text: string): ((status: number) => boolean) | null {
  if (text === '') return null
  const ranges = text.split(',').map((range) => {
    const [from, to] = range.trim().split('-')
    return [Number(from), to === undefined ? Number(from) : Number(to || 599)] as const
  })
  return (status) => ranges.some(([from, to]) => status >= from && status <= to)
}

/** The client's settings, as the sink calls them. */
export function sinkClientSettings(config: HttpSinkConfig): ClientSettings {
  return {
    auth: authOf(config),
    requestsPerSecond: config['http.rate.limit.requests.per.second'],
    maxRedirects: 0,
    connectTimeoutMs: config['http.connect.timeout.ms'],
    readTimeoutMs: config['http.request.timeout.ms'] ?? config['http.timeout'] * 1000,
    keepAliveMs: KEEP_ALIVE_MS,
    connections: config['max.in.flight.requests'],
    proxy: proxyAt(
      config['http.proxy.host'],
      config['http.proxy.port'],
      config['http.proxy.user'],
      config['http.proxy.password'],
    ),
    caFile: config['https.ssl.truststore.location'],
    keyFile: config['https.ssl.keystore.location'],
    keyPassword: config['https.ssl.key.password'],
    trustsAll: config['http.ssl.trust.all.certs'],
    maxBodyBytes: ANSWER_BYTES,
    cutsBody: true,
  }
}

function authOf(config: HttpSinkConfig): AuthSettings {
  const type = config['http.authorization.type']
  if (type === 'static') return { type: 'static', value: config['http.headers.authorization'] }
  if (config['auth.type'] === 'BASIC') {
    return { type: 'basic', user: config['connection.user'], password: config['connection.password'] }
  }
  if (type !== 'oauth2' && config['auth.type'] !== 'OAUTH2') return { type: 'none' }
  return {
    type: 'oauth2',
    oauth2: {
      tokenUrl: config['oauth2.access.token.url'],
      clientId: config['oauth2.client.id'],
      clientSecret: config['oauth2.client.secret'],
      scope: config['oauth2.client.scope'],
      mode: config['oauth2.client.authorization.mode'] === 'URL' ? 'form' : 'header',
      grantType: config['oauth2.grant_type'],
      grantTypeKey: config['oauth2.grant_type.key'],
      clientIdKey: config['oauth2.client.id.key'],
      clientSecretKey: config['oauth2.client.secret.key'],
      tokenProperty: config['oauth2.response.token.property'],
    },
  }
}
