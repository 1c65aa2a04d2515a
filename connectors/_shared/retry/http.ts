import type { FailureKind } from './failure.ts'

/** Answers that another try may change: time-outs, too early, too many requests, and what gateways say of a server that is away. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])
/** Who we are or where we write is at fault: every record would get the same answer. */
const NOBODY = new Set([401, 402, 403, 404, 405, 407, 410, 501, 505])

/** What an HTTP status says of a request with records; undefined for one that is no failure. */
export function classifyHttpStatus(status: number): FailureKind | undefined {
  if (status < 400) return undefined
  if (PASSING.has(status) || (status > 505 && status < 600)) return 'retriable'
  return NOBODY.has(status) ? 'fatal' : 'data'
}

/** What a Retry-After header asks for (seconds, or a date), in milliseconds; undefined when it says nothing usable. */
export function retryAfterMs(header: string | null | undefined, nowMs: number = Date.now()): number | undefined {
  const text = header?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
