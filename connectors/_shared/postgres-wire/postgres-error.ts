/** An ErrorResponse of the server, or a broken connection (`sqlstate` 08xxx, as Postgres numbers them). */
export class PostgresError extends Error {
  override name = 'PostgresError'
  /** The five characters of SQLSTATE. */
  readonly sqlstate: string
  readonly severity: string
  readonly detail: string | undefined
  readonly hint: string | undefined

  constructor(
    message: string,
    fields: { sqlstate: string; severity?: string; detail?: string | undefined; hint?: string | undefined },
    options?: ErrorOptions,
  ) {
    super(`${message} (SQLSTATE ${fields.sqlstate})`, options)
    this.sqlstate = fields.sqlstate
    this.severity = fields.severity ?? 'ERROR'
    this.detail = fields.detail
    this.hint = fields.hint
  }

  /** True when the same call may succeed later: the connection or the server went away, or it lacks resources now. */
  get transient(): boolean {
    return /^(08(?!P01)|53|55006|57(?!014)|40|58030|25006)/.test(this.sqlstate)
  }
}

/** A connection that could not be made or broke. */
export function connectionError(message: string, cause?: unknown): PostgresError {
  return new PostgresError(message, { sqlstate: '08006', severity: 'FATAL' }, cause === undefined ? {} : { cause })
}

/** The server sent something that the protocol does not allow. */
export function protocolError(message: string): PostgresError {
  return new PostgresError(`Postgres protocol: ${message}`, { sqlstate: '08P01', severity: 'FATAL' })
}

/** Reads the body of an ErrorResponse or NoticeResponse. */
export function parseErrorResponse(body: Buffer): PostgresError {
  const fields = new Map<string, string>()
  for (let position = 0; position < body.length && body[position] !== 0; ) {
    const end = body.indexOf(0, position + 1)
    if (end < 0) break
    fields.set(String.fromCharCode(body[position] as number), body.toString('utf8', position + 1, end))
    position = end + 1
  }
  return new PostgresError(fields.get('M') ?? 'unknown error', {
    sqlstate: fields.get('C') ?? 'XX000',
    severity: fields.get('V') ?? fields.get('S') ?? 'ERROR',
    detail: fields.get('D'),
    hint: fields.get('H'),
  })
}
