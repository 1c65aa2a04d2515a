import type { FailureKind } from '../sql.ts'

/**
 * Classes of SQLSTATE whose cause can pass: connection, transaction rollback, resources, operator, system,
 * internal.
 */
const TRANSIENT = new Set(['08', '40', '53', '55', '57', '58', 'XX', '25'])
const DATA = new Set(['22', '23', '44', '21', 'P0'])
/** A row of another topic may bring the parent of a foreign key. */
const FOREIGN_KEY = '23503'
const MISSING = new Set(['42P01', '3F000', '42703'])

/** The five-character SQLSTATE of an error, or undefined when it did not come from the server. */
export function sqlState(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in (error as object) ? code : undefined
}

/** Sorts an error of a statement or connection attempt. */
export function failureKind(error: unknown): FailureKind {
  const state = sqlState(error)
  // No SQLSTATE: the connection ended, was refused, or timed out.
  if (state === undefined) return 'transient'
  if (state === FOREIGN_KEY) return 'transient'
  if (MISSING.has(state)) return 'missing'
  if (TRANSIENT.has(state.slice(0, 2))) return 'transient'
  return DATA.has(state.slice(0, 2)) ? 'data' : 'permanent'
}

/** What to do where the server's own message does not say. */
const HINTS: Readonly<Record<string, string>> = {
  '42P10': 'upsert needs a primary key or unique constraint on exactly the columns of pk.fields',
  '42501': 'GRANT the right to the user of connection.user',
}

/** One line for logs and errors. `withValues` adds the server's detail, which quotes values of the row. */
export function describeFailure(error: unknown, withValues: boolean): string {
  const state = sqlState(error)
  const { message, detail, hint, errors } = error as {
    message?: string
    detail?: string
    hint?: string
    errors?: readonly Error[]
  }
  // A host name with several addresses fails with one error for each and no message of its own.
  const text = message === undefined || message === '' ? (errors ?? []).map((each) => each.message).join('; ') : message
  if (state === undefined) return text === '' ? String(error) : text
  const extra = [withValues ? detail : undefined, hint, HINTS[state]].filter(
    (part) => part !== undefined && part !== '',
  )
  // `invalid input syntax for type integer: "..."` quotes the value at its end.
  const shown = withValues ? text : text.replace(/: "[^]*"$/, '')
  return `${shown} (SQLSTATE ${state})${extra.length === 0 ? '' : `: ${extra.join('; ')}`}`
}

/** Another task created the same table, type or column first. */
export function isAlreadyThere(error: unknown): boolean {
  return ['42P07', '42701', '42710', '23505'].includes(sqlState(error) ?? '')
}

/** The rows are to blame, not the connection or the server. */
export function isRowFault(error: unknown): boolean {
  const state = sqlState(error)
  if (state === undefined) return false
  // A missing right or constraint is the table's or the config's fault: it must not drain a topic into the dead
  // letter queue.
  const kind = failureKind(error)
  return state === FOREIGN_KEY || kind === 'data' || kind === 'missing'
}
