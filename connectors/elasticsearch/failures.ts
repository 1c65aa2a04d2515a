import { ConnectError, isConnectError, RetriableError } from '@millrace/sdk'
import { classifyHttpStatus, dataFault, type Failure, fatal, retriable, retryAfterMs } from '../_shared/retry/index.ts'

/** How the client calls errors of the network; neither package's classes need to be imported for this. */
const PASSING: ReadonlySet<string> = new Set([
  'ConnectionError',
  'TimeoutError',
  'NoLivingConnectionsError',
  'RequestAbortedError',
])

/** What an error of the server says: `type: reason`, with the causes, which name the field at fault. */
export function reasonOf(error: unknown): string {
  const parts: string[] = []
  let current = error
  for (let depth = 0; depth < 4 && typeof current === 'object' && current !== null; depth++) {
    const { type, reason, caused_by: cause } = current as { type?: unknown; reason?: unknown; caused_by?: unknown }
    parts.push([type, reason].filter((part) => typeof part === 'string').join(': '))
    current = cause
  }
  return parts.join('; ') || String(error)
}

/** What an error of the client means for everything that was in the request. */
export function failureOf(error: unknown): Failure {
  if (isConnectError(error)) return error.retriable ? retriable(error) : fatal(error)
  if (!(error instanceof Error)) return fatal(error)
  const { name, statusCode, headers, body } = error as Error & {
    statusCode?: number
    headers?: Readonly<Record<string, string | undefined>>
    body?: unknown
  }
  if (PASSING.has(name)) {
    return retriable(new RetriableError(`the server cannot be reached: ${error.message || name}`, { cause: error }))
  }
  if (name !== 'ResponseError' || statusCode === undefined) return fatal(error)
  const reported = typeof body === 'object' && body !== null && 'error' in body ? body.error : body
  const described = new ConnectError(`the server answered ${statusCode}: ${reasonOf(reported)}`, { cause: error })
  const kind = classifyHttpStatus(statusCode) ?? 'fatal'
  if (kind === 'retriable') return retriable(described, retryAfterMs(headers?.['retry-after']))
  return kind === 'data' ? dataFault(described) : fatal(described)
}
