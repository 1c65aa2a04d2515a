import { type ErrorName, errorByCode } from '../protocol/index.ts'

/** Failures that the client itself finds, beside the error names a broker answers with. */
export type ClientErrorName =
  | 'CLIENT_CLOSED'
  | 'CLIENT_CONFIG'
  | 'CLIENT_DISCONNECTED'
  | 'CLIENT_TIMED_OUT'
  | 'CLIENT_UNSUPPORTED_VERSION'
  | 'CLIENT_BAD_RESPONSE'
  | 'CLIENT_BUFFER_FULL'
  | 'CLIENT_NO_METADATA'
  | 'CLIENT_NO_RESET_POLICY'
  | 'CLIENT_NOT_ASSIGNED'

/** Any failure of the client. `code` is stable: Kafka's error name, or one of the client's own. */
export class KafkaError extends Error {
  override name = 'KafkaError'
  readonly code: ErrorName | ClientErrorName
  /** Whether the same call may succeed later. */
  readonly retriable: boolean

  constructor(
    code: ErrorName | ClientErrorName,
    message: string,
    options: { retriable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retriable = options.retriable ?? false
  }
}

/** The error for a broker's error code; `detail` is the broker's own message when it gave one. */
export function brokerError(errorCode: number, what: string, detail?: string | null): KafkaError {
  const { name, message, retriable } = errorByCode(errorCode)
  return new KafkaError(name, `${what}: ${detail || message} (${name})`, { retriable })
}

/** Throws when the code is not 0. */
export function throwOnError(errorCode: number, what: string, detail?: string | null): void {
  if (errorCode !== 0) throw brokerError(errorCode, what, detail)
}

export function isRetriable(error: unknown): boolean {
  return error instanceof KafkaError && error.retriable
}

export function closedError(what: string): KafkaError {
  return new KafkaError('CLIENT_CLOSED', `${what} is closed`)
}
