import { ConnectError, RetriableError } from '@millrace/sdk'
import { failureOf, StatusError } from './failures.ts'
import type { Transport } from './transport.ts'
import { parseJson } from './json-pointer.ts'

export interface OAuth2Settings {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  /** Whether the client says who it is in the Authorization header or in the form. */
  readonly mode: 'header' | 'form'
  readonly grantType: string
  readonly grantTypeKey: string
  readonly clientIdKey: string
  readonly clientSecretKey: string
  /** The member of the answer that has the token. */
  readonly tokenProperty: string
}

export type AuthSettings =
  | { readonly type: 'none' }
  | { readonly type: 'basic'; readonly user: string; readonly password: string }
  | { readonly type: 'static'; readonly value: string }
  | { readonly type: 'oauth2'; readonly oauth2: OAuth2Settings }

/** Where the value of the Authorization header comes from. */
export interface Authorization {
  header(signal?: AbortSignal): Promise<string | undefined>
  /** The server refused the value; true when there may be a better one now. */
  refused(value: string): boolean
}

const TOKEN_MS = 3_600_000
/** A token is renewed so long before its end, or after half of its time if that is shorter. */
const MARGIN_MS = 30_000

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** Makes what knows the header. */
export function createAuthorization(settings: AuthSettings, transport: Transport): Authorization {
  if (settings.type === 'oauth2') return new TokenAuthorization(settings.oauth2, transport)
  const value =
    settings.type === 'basic'
      ? basic(settings.user, settings.password)
      : settings.type === 'static'
        ? settings.value
        : undefined
  return { header: () => Promise.resolve(value), refused: () => false }
}

/** OAuth2 with client credentials: one token for all requests, renewed before its end or when a server refuses it. */
class TokenAuthorization implements Authorization {
  readonly #o: OAuth2Settings
  readonly #transport: Transport
  #token: { readonly value: string; readonly untilMs: number } | undefined
  #open: Promise<string> | undefined

  constructor(settings: OAuth2Settings, transport: Transport) {
    this.#o = settings
    this.#transport = transport
  }

  async header(signal?: AbortSignal): Promise<string> {
    if (this.#token && performance.now() < this.#token.untilMs) return this.#token.value
    // Requests that come together ask once; the signal is that of the first, and the others try again if it ends.
    this.#open ??= this.#fetch(signal).finally(() => (this.#open = undefined))
    return this.#open
  }

  refused(value: string): boolean {
    const isNew = this.#token?.value !== value
    if (!isNew) this.#token = undefined
    return true
  }

  async #fetch(signal?: AbortSignal): Promise<string> {
    const o = this.#o
    const form = new URLSearchParams({ [o.grantTypeKey]: o.grantType })
    if (o.scope !== '') form.set('scope', o.scope)
    if (o.mode === 'form') {
      form.set(o.clientIdKey, o.clientId)
      form.set(o.clientSecretKey, o.clientSecret)
    }
    const headers: Record<string, string> = {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...(o.mode === 'header'
        ? { authorization: basic(encodeURIComponent(o.clientId), encodeURIComponent(o.clientSecret)) }
        : {}),
    }
    const request = { method: 'POST', url: o.tokenUrl, headers, body: form.toString(), ...(signal ? { signal } : {}) }
    const answer = await this.#transport.send(request).catch((error: unknown) => {
      const failure = failureOf(error)
      const message = `the token server at ${o.tokenUrl} cannot be asked: ${failure.error.message}`
      throw failure.kind === 'retriable' ? new RetriableError(message, { cause: error }) : new ConnectError(message)
    })
    if (answer.status < 200 || answer.status >= 300) throw refusal(o.tokenUrl, answer.status, answer.headers)
    return this.#keep(answer.body)
  }

  /** The answer holds a secret, so no message shows any of it. */
  #keep(body: string): string {
    let token: unknown
    try {
      token = parseJson(body)
    } catch {
      token = null
    }
    const members = (typeof token === 'object' && token !== null ? token : {}) as Readonly<Record<string, unknown>>
    const value = members[this.#o.tokenProperty]
    if (typeof value !== 'string' || value === '') {
      throw new ConnectError(
        `the answer of ${this.#o.tokenUrl} has no text "${this.#o.tokenProperty}"; check the URL and the name of the property`,
      )
    }
    const seconds = Number(members['expires_in'])
    const lifeMs = seconds > 0 ? seconds * 1000 : TOKEN_MS
    const header = `Bearer ${value}`
    this.#token = { value: header, untilMs: performance.now() + Math.max(lifeMs - MARGIN_MS, lifeMs / 2) }
    return header
  }
}

function refusal(url: string, status: number, headers: StatusHeaders): Error {
  const error = new StatusError(`the token request to ${url}`, status, headers, '')
  const { kind, retryAfterMs } = failureOf(error)
  if (kind !== 'retriable') return new ConnectError(`${error.message}; check client id, secret and scope`)
  return new RetriableError(error.message, retryAfterMs === undefined ? {} : { retryAfterMs })
}

type StatusHeaders = ConstructorParameters<typeof StatusError>[2]
