import { classifyHttpStatus, type Failure, fatal, isPassingNetworkError, retriable } from '../retry/index.ts'

const PASSING_NAMES = new Set([
  'SlowDown',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'InternalError',
  'ServiceUnavailable',
  'TimeoutError',
  'OperationAborted',
  'ConditionalRequestConflict',
  'ThrottlingException',
])

/** What an error of the client says of a request: whether the same one may succeed later. */
export function classifyS3(error: unknown): Failure {
  const { name, $metadata } = (error ?? {}) as { name?: unknown; $metadata?: { httpStatusCode?: number } }
  if (isPassingNetworkError(error) || (typeof name === 'string' && PASSING_NAMES.has(name))) return retriable(error)
  const status = $metadata?.httpStatusCode
  if (status !== undefined && classifyHttpStatus(status) === 'retriable') return retriable(error)
  return fatal(error)
}

/** Whether the object or upload that was asked for does not exist. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404
}

/** Whether an object was there already when it was to be written only if not. */
export function isTaken(error: unknown): boolean {
  return statusOf(error) === 412
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode
}
