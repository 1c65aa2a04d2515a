/**
 * The errors of the SDK. They are recognised by a brand, never by `instanceof`, so that two copies of the SDK in one
 * process understand each other.
 */
const BRAND = Symbol.for('millrace.connect-error')

export type ConnectErrorCode = 'CONNECT' | 'RETRIABLE' | 'DATA' | 'CONFIG'

/** The base of all errors that a plugin throws on purpose. Any other error is unknown, and fatal for its task. */
export class ConnectError extends Error {
  override name = 'ConnectError'
  readonly code: ConnectErrorCode = 'CONNECT'
  readonly retriable: boolean = false
  readonly [BRAND] = true
}

/** The call may succeed when it is made again: the runtime retries by `errors.retry.*`, a sink gets the same batch again. */
export class RetriableError extends ConnectError {
  override name = 'RetriableError'
  override readonly code = 'RETRIABLE'
  override readonly retriable = true
  /** How long to wait before the next try, in milliseconds, when the plugin knows it (for example from Retry-After). */
  readonly retryAfterMs: number | undefined

  constructor(message: string, options?: ErrorOptions & { retryAfterMs?: number }) {
    super(message, options)
    this.retryAfterMs = options?.retryAfterMs
  }
}

/** A record does not fit what is asked of it; trying again cannot help. */
export class DataError extends ConnectError {
  override name = 'DataError'
  override readonly code = 'DATA'
}

/** A configuration is wrong. `key` names the setting where one is to blame. */
export class ConfigError extends ConnectError {
  override name = 'ConfigError'
  override readonly code = 'CONFIG'
  readonly key: string | undefined

  constructor(message: string, options?: ErrorOptions & { key?: string }) {
    super(message, options)
    this.key = options?.key
  }
}

/** True for every error of this module, whichever copy of the SDK made it. */
export function isConnectError(error: unknown): error is ConnectError {
  return typeof error === 'object' && error !== null && (error as { [BRAND]?: unknown })[BRAND] === true
}

/** True when the runtime may make the same call again. */
export function isRetriable(error: unknown): error is RetriableError {
  return isConnectError(error) && error.retriable
}
