/** A mistake of the caller: printed without a stack, exit code 1. */
export class UsageError extends Error {
  override name = 'UsageError'
}
