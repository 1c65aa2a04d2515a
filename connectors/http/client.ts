import { ConnectError } from '@millrace/sdk'
import { realPauses } from '../_shared/retry/index.ts'
import { type Authorization, type AuthSettings, createAuthorization } from './auth.ts'
import {
  type HttpAnswer,
  type HttpRequest,
  openTransport,
  type Transport,
  type TransportSettings,
} from './transport.ts'

export interface ClientSettings extends TransportSettings {
  readonly auth: AuthSettings
  /** 0 for no limit. */
  readonly requestsPerSecond: number
  /** How many redirections of one request are followed. */
  readonly maxRedirects: number
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** HTTP with authorization, a rate limit and redirections. */
export class HttpClient {
  readonly #settings: ClientSettings
  readonly #transport: Transport
  readonly #authorization: Authorization
  #nextMs = 0

  private constructor(settings: ClientSettings, transport: Transport) {
    this.#settings = settings
    this.#transport = transport
    this.#authorization = createAuthorization(settings.auth, transport)
  }

  static async open(settings: ClientSettings): Promise<HttpClient> {
    return new HttpClient(settings, await openTransport(settings))
  }

  /** The answer, whatever its status is. A token that the server refuses is renewed once. */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    const value = await this.#authorization.header(request.signal)
    const answer = await this.#send(request, value)
    if (answer.status !== 401 || value === undefined || !this.#authorization.refused(value)) return answer
    return this.#send(request, await this.#authorization.header(request.signal))
  }

  close(): Promise<void> {
    return this.#transport.close()
  }

  async #send(request: HttpRequest, authorization: string | undefined): Promise<HttpAnswer> {
    let current = request
    let headers: Record<string, string> = { ...request.headers, ...(authorization ? { authorization } : {}) }
    for (let redirects = 0; ; redirects++) {
      await this.#turn(request.signal)
      const answer = await this.#transport.send({ ...current, headers })
      const location = answer.headers['location']
      if (this.#settings.maxRedirects === 0 || !REDIRECTS.has(answer.status) || typeof location !== 'string')
        return answer
      if (redirects === this.#settings.maxRedirects) {
        throw new ConnectError(`${request.url} redirects more than ${redirects} times; check http.request.url`)
      }
      const target = URL.parse(location, current.url)
      if (target === null) throw new ConnectError(`${current.url} redirects to "${location}", which is no URL`)
      // Secrets are for the server that the configuration names.
      if (target.origin !== new URL(current.url).origin) headers = withoutSecrets(headers)
      current = { ...current, url: target.href, ...plain(answer.status, current.method) }
    }
  }

  /** Waits until the rate limit allows one more request. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { requestsPerSecond } = this.#settings
    if (requestsPerSecond === 0) return
    const now = performance.now()
    const at = Math.max(now, this.#nextMs)
    this.#nextMs = at + 1000 / requestsPerSecond
    if (at > now) await realPauses.pause(at - now, signal)
    signal?.throwIfAborted()
  }
}

/** Browsers and libraries alike ask with GET where they are sent by all but 307 and 308. */
function plain(status: number, method: string): Partial<HttpRequest> {
  return status === 307 || status === 308 || method === 'GET' || method === 'HEAD'
    ? {}
    : { method: 'GET', body: undefined }
}

function withoutSecrets(headers: Record<string, string>): Record<string, string> {
  const isSecret = (name: string): boolean => /authorization|cookie|token|api-?key|secret/i.test(name)
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isSecret(name)))
}
