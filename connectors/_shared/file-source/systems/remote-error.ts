import { ConnectError, isConnectError, RetriableError } from '@millrace/sdk'
import { isPassingNetworkError } from '../../retry/index.ts'

/** Runs an operation on a server. Failures of the connection may pass, and become errors that are tried again. */
export async function remotely<T>(
  label: string,
  isPassing: (error: unknown) => boolean,
  operation: () => Promise<T>,
): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    if (isConnectError(error)) throw error
    const message = `${label}: ${(error as Error).message}`
    if (isPassing(error) || isPassingNetworkError(error)) throw new RetriableError(message, { cause: error })
    throw new ConnectError(message, { cause: error })
  }
}
