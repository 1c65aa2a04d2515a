import type { FailureKind } from '../sql.ts'

/** Primary result codes of SQLite. */
const code = {
  error: 1,
  busy: 5,
  locked: 6,
  nomem: 7,
  ioerr: 10,
  full: 13,
  cantopen: 14,
  protocol: 15,
  schema: 17,
  toobig: 18,
  constraint: 19,
  mismatch: 20,
  range: 25,
} as const
const FOREIGN_KEY = 787

const TRANSIENT = new Set<number>([
  code.busy,
  code.locked,
  code.nomem,
  code.ioerr,
  code.full,
  code.protocol,
  code.schema,
])
const DATA = new Set<number>([code.toobig, code.constraint, code.mismatch, code.range])

function resultCode(error: unknown): number | undefined {
  const found = (error as { errcode?: unknown } | null)?.errcode
  return typeof found === 'number' ? found : undefined
}

const primary = (result: number): number => result & 0xff

/** Another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  const result = resultCode(error)
  return result !== undefined && (primary(result) === code.busy || primary(result) === code.locked)
}

/** The file or its folder is missing. */
export function isMissingFile(error: unknown): boolean {
  return resultCode(error) === code.cantopen
}

/** Sorts an error of a statement or connection attempt. */
export function failureKind(error: unknown): FailureKind {
  const result = resultCode(error)
  // Not of the database: it is our own, or the connection was closed in the middle.
  if (result === undefined)
    return (error as { code?: unknown }).code === 'ERR_INVALID_STATE' ? 'transient' : 'permanent'
  if (result === FOREIGN_KEY || TRANSIENT.has(primary(result))) return 'transient'
  if (DATA.has(primary(result))) return 'data'
  const { message } = error as Error
  return /no such (table|column)|has no column named/.test(message) ? 'missing' : 'permanent'
}

/** One line for logs and errors; SQLite quotes no values. */
export function describeFailure(error: unknown, _withValues: boolean): string {
  const result = resultCode(error)
  const { message } = error as { message?: string }
  if (result === undefined) return message ?? String(error)
  const hint = /ON CONFLICT clause does not match/.test(message ?? '')
    ? ': upsert needs a primary key or unique constraint on exactly the columns of pk.fields'
    : ''
  return `${message} (SQLite error ${result})${hint}`
}

/** Another task created the same table or column first. */
export function isAlreadyThere(error: unknown): boolean {
  return resultCode(error) === code.error && /already exists|duplicate column name/.test((error as Error).message)
}

/** The rows are to blame, not the file. */
export function isRowFault(error: unknown): boolean {
  const result = resultCode(error)
  if (result === undefined) return false
  const kind = failureKind(error)
  return result === FOREIGN_KEY || kind === 'data' || kind === 'missing'
}
