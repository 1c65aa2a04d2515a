import { formatTrace } from './trace.ts'

/** An error as it crosses a process border. */
export interface ErrorDescription {
  readonly name: string
  readonly message: string
  readonly code: string | null
  /** The key of a configuration that is to blame, for CONFIG. */
  readonly key?: string | undefined
  /** Name, message, stack and causes as text. */
  readonly trace: string
}

/** Takes what another process needs to know of an error. */
export function describeError(error: unknown): ErrorDescription {
  const code = (error as { code?: unknown } | null)?.code
  const key = (error as { key?: unknown } | null)?.key
  return {
    name: error instanceof Error ? error.name : 'Error',
    message: error instanceof Error ? error.message : String(error),
    code: typeof code === 'string' ? code : null,
    ...(typeof key === 'string' ? { key } : {}),
    trace: error instanceof RemoteError ? error.trace : formatTrace(error),
  }
}

/** An error that another process threw; `trace` is the text of its stack over there. */
export class RemoteError extends Error {
  readonly code: string | null
  readonly key: string | undefined
  readonly trace: string

  constructor(description: ErrorDescription) {
    super(description.message)
    this.name = description.name
    this.code = description.code
    this.key = description.key
    this.trace = description.trace
  }
}
