/** Thrown when Millrace itself is wrong: a broken precondition, never bad input from outside. */
export class AssertionError extends Error {
  override name = 'AssertionError'
}

/** Checks our own reasoning, always on. For the world's faults throw a typed error instead. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** Marks a branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`)
}
