import { ConnectError, isConnectError, RetriableError } from '@millrace/sdk'
import { dataFault, type Failure, fatal, isPassingNetworkError, retriable } from '../retry/index.ts'

/** The runtime polls again after so long. */
const POLL_BACKOFF_MS = 500
/** First words of answers that another try may change. */
const PASSING = new Set([
  'ASK',
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'MOVED',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
  'UNBLOCKED',
])
/** Who we are is at fault, or what the server can do at all: each record would get the same answer. */
const NOBODY = new Set(['DENIED', 'NOAUTH', 'NOPERM', 'NOPROTO', 'WRONGPASS'])
/** What the client says of a connection that has gone, in its own words. */
const LOST = [
  'Connection is closed',
  "Stream isn't writeable",
  'Command timed out',
  'Socket timeout',
  'Socket closed',
  'All sentinels are unreachable',
  'None of startup nodes is available',
  'Failed to refresh slots cache',
  "Cluster isn't ready",
  'Reached the max retries',
  'Connection ended',
  'connect ETIMEDOUT',
]

/** The error of a connection that has gone or was never there: nothing is known of what was on its way. */
export function isConnectionLost(error: unknown): boolean {
  if (isPassingNetworkError(error)) return true
  return error instanceof Error && LOST.some((text) => error.message.startsWith(text))
}

/** What an answer of Redis means that begins with its kind, as `WRONGTYPE Operation against ...`. */
export function classifyReply(message: string): Failure {
  const kind = message.split(' ', 1)[0] as string
  const error = new ConnectError(`Redis answered: ${message}`)
  if (PASSING.has(kind)) return retriable(error)
  if (NOBODY.has(kind)) return fatal(error)
  if (/^ERR (max number of clients|DISABLED)/.test(message)) return retriable(error)
  if (/^ERR (unknown command|Unknown Redis command)/i.test(message)) {
    return fatal(new ConnectError(`Redis does not know a command that is needed, a module may be missing: ${message}`))
  }
  if (
    /^ERR (This Redis command is not allowed|Error running script|Error compiling script|invalid password)/.test(
      message,
    )
  )
    return fatal(error)
  return dataFault(error)
}

/** What any error of a Redis client means. */
export function classifyRedisError(error: unknown): Failure {
  if (isConnectError(error)) {
    if (error.code === 'DATA') return dataFault(error)
    return error.retriable ? retriable(error) : fatal(error)
  }
  if (isConnectionLost(error)) return retriable(error)
  if (error instanceof Error && error.name === 'ReplyError') return classifyReply(error.message)
  return fatal(error)
}

/** What `poll` of a source throws for any error of a Redis client: what may pass makes the runtime poll again. */
export function pollError(error: unknown): Error {
  const failure = classifyRedisError(error)
  if (failure.kind !== 'retriable') return failure.error
  return new RetriableError(failure.error.message, { cause: error, retryAfterMs: POLL_BACKOFF_MS })
}
