import { ConnectError, isConnectError } from '@millrace/sdk'
import { dataFault, type Failure, fatal, isPassingNetworkError, retriable } from '../_shared/retry/index.ts'

/** Elections, shutdowns, locks, time-outs, cursors that are gone, what is not there yet: the same may succeed later. */
const PASSING: ReadonlySet<number> = new Set([
  6, 7, 24, 26, 43, 46, 50, 63, 64, 89, 91, 112, 133, 136, 150, 189, 202, 234, 237, 262, 317, 358, 9001, 10058, 10107,
  11600, 11602, 13388, 13435, 13436,
])
/** Who we are or where we write is at fault: every record would get the same answer. */
const NOBODY: ReadonlySet<number> = new Set([8, 11, 13, 18, 20, 31, 33, 59, 73, 76, 79, 100, 166, 303, 334, 8000])

const NETWORK: ReadonlySet<string> = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoTopologyClosedError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'PoolClearedOnNetworkError',
  'MongoWaitQueueTimeoutError',
  'MongoOperationTimeoutError',
])

/** What the code of a server's answer means. */
export function failureOfCode(code: number, error: Error): Failure {
  if (PASSING.has(code)) return retriable(error)
  return NOBODY.has(code) ? fatal(error) : dataFault(error)
}

/** What an error of the driver means for everything that was in the request. Errors are known by name, not by class. */
export function failureOf(thrown: unknown): Failure {
  const error = within(thrown)
  if (isConnectError(error)) return error.retriable ? retriable(error) : fatal(error)
  if (!(error instanceof Error)) return fatal(error)
  const { name, code, hasErrorLabel } = error as Error & { code?: unknown; hasErrorLabel?: (label: string) => boolean }
  const isRetryable = hasErrorLabel?.call(error, 'RetryableWriteError') ?? false
  // The driver lets some errors of sockets through as they are.
  if (NETWORK.has(name) || isRetryable || isPassingNetworkError(error)) {
    return retriable(new ConnectError(`the server cannot be reached: ${error.message || name}`, { cause: error }))
  }
  if (typeof code === 'number') return failureOfCode(code, error)
  // The driver itself refuses documents that it cannot write, such as those of more than 16 MB.
  const isData = name === 'BSONError' || name === 'MongoInvalidArgumentError' || error instanceof RangeError
  return isData ? dataFault(error) : fatal(error)
}

/** A bulk write that was not answered is told as an error of bulk writes, with the reason in it. */
function within(error: unknown): unknown {
  const { name, errorResponse } = (error ?? {}) as { name?: unknown; errorResponse?: unknown }
  return name === 'MongoBulkWriteError' && errorResponse instanceof Error ? errorResponse : error
}
