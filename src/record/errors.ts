/** Why stored or received record bytes cannot be used. The codes are names of Kafka's error table. */
export type RecordErrorCode = 'CORRUPT_MESSAGE' | 'UNSUPPORTED_COMPRESSION_TYPE' | 'MESSAGE_TOO_LARGE'

/** Bytes that are not the record batch they claim to be. */
export class RecordError extends Error {
  override name = 'RecordError'
  readonly code: RecordErrorCode
  readonly retriable = false

  constructor(code: RecordErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Shorthand for the common case. */
export function corrupt(message: string, cause?: unknown): RecordError {
  return new RecordError('CORRUPT_MESSAGE', message, cause === undefined ? undefined : { cause })
}
