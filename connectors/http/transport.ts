import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { ConfigError, ConnectError } from '@millrace/sdk'
import type { Dispatcher } from 'undici'
import type { AnswerHeaders } from './failures.ts'
import type { Proxy } from './proxy.ts'

export interface TransportSettings {
  readonly connectTimeoutMs: number
  /** How long a server may be silent; 0 for ever. */
  readonly readTimeoutMs: number
  readonly keepAliveMs: number
  readonly connections: number
  readonly proxy: Proxy | null
  /** A file with the certificates to trust, in PEM form; null for those of Node.js. */
  readonly caFile: string | null
  /** A file with the certificate and the key to show, in PEM form. */
  readonly keyFile: string | null
  readonly keyPassword: string | null
  readonly trustsAll: boolean
  /** A longer body fails the request, or is cut when `cutsBody` is set. */
  readonly maxBodyBytes: number
  readonly cutsBody: boolean
}

export interface HttpRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly signal?: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: AnswerHeaders
  readonly body: string
}

/** Sends one request and reads its answer; rejects only when there is none. */
export interface Transport {
  send(request: HttpRequest): Promise<HttpAnswer>
  close(): Promise<void>
}

const unzip = promisify(gunzip)

/** Opens the client; its library is imported here, where a task runs. */
export async function openTransport(settings: TransportSettings): Promise<Transport> {
  const { Agent, ProxyAgent, request } = await import('undici')
  const tls = tlsOptions(settings)
  const options = {
    connections: settings.connections,
    keepAliveTimeout: settings.keepAliveMs,
    keepAliveMaxTimeout: settings.keepAliveMs,
    connect: { timeout: settings.connectTimeoutMs, ...tls },
    headersTimeout: settings.readTimeoutMs,
    bodyTimeout: settings.readTimeoutMs,
  }
  const { proxy } = settings
  const dispatcher: Dispatcher = proxy
    ? new ProxyAgent({ ...options, uri: proxy.url, requestTls: tls, ...(proxy.token ? { token: proxy.token } : {}) })
    : new Agent(options)
  return {
    async send({ method, url, headers, body, signal }) {
      const answer = await request(url, {
        dispatcher,
        method: method as Dispatcher.HttpMethod,
        headers,
        body: body ?? null,
        ...(signal ? { signal } : {}),
      })
      const bytes = await readBody(answer.body, settings, url)
      return { status: answer.statusCode, headers: answer.headers, body: await decode(bytes, answer.headers, settings) }
    },
    close: () => dispatcher.destroy(),
  }
}

async function readBody(
  body: Dispatcher.ResponseData['body'],
  settings: TransportSettings,
  url: string,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes <= settings.maxBodyBytes) continue
    // Leaving the loop gives the connection up, and with it what it would still carry.
    if (settings.cutsBody) return Buffer.concat(chunks).subarray(0, settings.maxBodyBytes)
    const { origin, pathname } = new URL(url)
    throw new ConnectError(
      `the answer of ${origin}${pathname} has more than ${settings.maxBodyBytes} bytes; ask for fewer records a request`,
    )
  }
  return Buffer.concat(chunks)
}

async function decode(bytes: Buffer, headers: AnswerHeaders, settings: TransportSettings): Promise<string> {
  const encoding = String(headers['content-encoding'] ?? '')
  if (bytes.length === 0 || encoding === '' || encoding === 'identity') return bytes.toString('utf8')
  if (encoding !== 'gzip')
    throw new ConnectError(`the server sent content-encoding ${encoding}, which nobody asked for`)
  return (await unzip(bytes, { maxOutputLength: settings.maxBodyBytes })).toString('utf8')
}

function tlsOptions(settings: TransportSettings): object {
  const ca = readPem(settings.caFile, 'https.ssl.truststore.location')
  const key = readPem(settings.keyFile, 'https.ssl.keystore.location')
  return {
    ...(ca ? { ca } : {}),
    ...(key ? { cert: key, key, passphrase: settings.keyPassword ?? undefined } : {}),
    ...(settings.trustsAll ? { rejectUnauthorized: false } : {}),
  }
}

function readPem(path: string | null, key: string): string | undefined {
  if (path === null || path === '') return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`${key}: the file "${path}" cannot be read; check its path and rights`, { key, cause: error })
  }
}
