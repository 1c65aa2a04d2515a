/** What a handler answers. */
export interface Answer {
  readonly status: number
  /** Undefined for an empty body. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** The body of every error. */
export interface ErrorBody {
  readonly error_code: number
  readonly message: string
}

export function ok(body: unknown): Answer {
  return { status: 200, body }
}

export function empty(status: number): Answer {
  return { status }
}

export function errorAnswer(status: number, message: string): Answer {
  return { status, body: { error_code: status, message } satisfies ErrorBody }
}
