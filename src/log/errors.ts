/** Why a data directory or a log in it cannot be used. */
export type LogErrorCode =
  | 'LOG_DIRECTORY_LOCKED'
  | 'LOG_DIRECTORY_INVALID'
  | 'LOG_DIRECTORY_UNUSABLE'
  | 'LOG_EXISTS'
  | 'LOG_STORAGE_FAILED'
  | 'LOG_CLOSED'

/** A fault of the disk or of what lies on it. Refused batches and reads are answers, not errors: see AppendResult and ReadResult. */
export class LogError extends Error {
  override name = 'LogError'
  readonly code: LogErrorCode
  readonly retriable = false

  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
