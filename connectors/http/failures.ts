import { isConnectError, RetriableError } from '@millrace/sdk'
import {
  classifyHttpStatus,
  dataFault,
  type Failure,
  fatal,
  isPassingNetworkError,
  retriable,
  retryAfterMs,
} from '../_shared/retry/index.ts'

const BODY_CHARS = 500
/** Reset headers are seconds from now or seconds since the epoch; the latter are larger than this. */
const EPOCH_SECONDS_MIN = 1_000_000_000

export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** An answer with a status that is no success. What it means is told by `failureOf`, so it is none of the SDK's errors. */
export class StatusError extends Error {
  override name = 'StatusError'
  readonly status: number
  readonly body: string
  readonly retryAfterMs: number | undefined

  constructor(what: string, status: number, headers: AnswerHeaders, body: string) {
    const said = body.trim().slice(0, BODY_CHARS)
    super(`${what} was answered with ${status}${said === '' ? '' : `: ${said}`}`)
    this.status = status
    this.body = body
    this.retryAfterMs = askedWaitMs(headers)
  }
}

/** How long a server asks to be left alone: Retry-After, or the reset of a rate limit that is used up. */
export function askedWaitMs(headers: AnswerHeaders, nowMs: number = Date.now()): number | undefined {
  const asked = retryAfterMs(first(headers['retry-after']), nowMs)
  if (asked !== undefined) return asked
  const isUsedUp = (first(headers['ratelimit-remaining']) ?? first(headers['x-ratelimit-remaining'])) === '0'
  const reset = Number(first(headers['ratelimit-reset']) ?? first(headers['x-ratelimit-reset']))
  if (!isUsedUp || !(reset >= 0)) return undefined
  return reset > EPOCH_SECONDS_MIN ? Math.max(0, reset * 1000 - nowMs) : reset * 1000
}

function first(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0]
}

/** What an error of a request means for what was in it. */
export function failureOf(error: unknown): Failure {
  if (error instanceof StatusError) {
    const kind = classifyHttpStatus(error.status) ?? 'fatal'
    if (kind === 'retriable') return retriable(error, error.retryAfterMs)
    // Some servers say 403 for a rate limit, and when it ends.
    if (error.status === 403 && error.retryAfterMs !== undefined) return retriable(error, error.retryAfterMs)
    return kind === 'data' ? dataFault(error) : fatal(error)
  }
  if (isConnectError(error))
    return error.retriable ? retriable(error, (error as RetriableError).retryAfterMs) : fatal(error)
  if (isPassingNetworkError(error)) {
    const { message } = error as Error
    return retriable(new RetriableError(`the server cannot be reached: ${message}`, { cause: error }))
  }
  return fatal(error)
}
