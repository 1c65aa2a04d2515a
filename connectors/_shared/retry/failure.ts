/**
 * What may be done about a failure. `retriable`: the same request may succeed later. `data`: what was sent is at fault, so
 * only leaving it out helps. `fatal`: neither helps, the task has to end and say why.
 */
export type FailureKind = 'retriable' | 'data' | 'fatal'

export interface Failure {
  readonly kind: FailureKind
  readonly error: Error
  /** How long the other side asked to be left alone, in milliseconds; of retriable failures. */
  readonly retryAfterMs?: number
}

/** The same request may succeed later. */
export function retriable(error: unknown, retryAfterMs?: number): Failure {
  return { kind: 'retriable', error: asError(error), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** What was sent is at fault: of several records at least one. */
export function dataFault(error: unknown): Failure {
  return { kind: 'data', error: asError(error) }
}

/** Nothing helps. */
export function fatal(error: unknown): Failure {
  return { kind: 'fatal', error: asError(error) }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
