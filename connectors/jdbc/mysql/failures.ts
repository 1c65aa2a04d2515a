import type { FailureKind } from '../sql.ts'

/** Errors of the server whose cause can pass: too many connections, shutdown, killed, locks, full disk, read-only. */
const TRANSIENT = new Set([
  1020, 1021, 1040, 1042, 1043, 1053, 1077, 1114, 1129, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1205, 1206, 1213,
  1226, 1290, 1317, 1836, 1927, 2006, 2013, 3024, 3572, 4031,
])
/** A row of another topic may bring the parent of a foreign key. */
const FOREIGN_KEY = new Set([1216, 1217, 1451, 1452])
const MISSING = new Set([1049, 1054, 1146])
/** Faults of values whose SQLSTATE does not say so: too large a packet, no default, wrong text, checks, signals. */
const DATA = new Set([1153, 1265, 1364, 1366, 1411, 1525, 1644, 3819, 3903, 4025])
/** The table exists, the column exists, the key exists. */
const ALREADY_THERE = new Set([1050, 1060, 1061])

interface ServerError {
  readonly errno: number
  readonly sqlState: string
  readonly message: string
}

/** Whether the server itself said it, rather than the driver or the network. */
export function isOfServer(error: unknown): error is ServerError {
  const { errno, sqlState } = (error ?? {}) as { errno?: unknown; sqlState?: unknown }
  return typeof errno === 'number' && errno > 0 && typeof sqlState === 'string' && sqlState !== ''
}

/** Sorts an error of a statement or connection attempt. */
export function failureKind(error: unknown): FailureKind {
  // Not of the server: the connection ended, was refused, or timed out.
  if (!isOfServer(error)) return 'transient'
  const { errno, sqlState } = error
  if (TRANSIENT.has(errno) || FOREIGN_KEY.has(errno)) return 'transient'
  if (MISSING.has(errno)) return 'missing'
  if (DATA.has(errno) || /^(22|23)/.test(sqlState)) return 'data'
  return /^(08|40)/.test(sqlState) ? 'transient' : 'permanent'
}

/** What to do where the server's own message does not say. */
const HINTS: Readonly<Record<number, string>> = {
  1044: 'GRANT the right to the user of connection.user',
  1142: 'GRANT the right to the user of connection.user',
  1153: 'raise max_allowed_packet in the server',
  1292: 'the column does not take this value as a date or number',
}

/** One line for logs and errors. Without `withValues` what the server quotes of the row is left out. */
export function describeFailure(error: unknown, withValues: boolean): string {
  const { message, code, errors } = error as { message?: string; code?: string; errors?: readonly Error[] }
  // A host name with several addresses fails with one error for each and no message of its own.
  const text = message === undefined || message === '' ? (errors ?? []).map((each) => each.message).join('; ') : message
  if (!isOfServer(error)) return text === '' ? (code ?? String(error)) : text
  const shown = withValues ? text : text.replace(/((?:value|entry):? )'[^]*?'(?= for)/i, '$1...')
  const hint = HINTS[error.errno]
  return `${shown} (error ${error.errno}, SQLSTATE ${error.sqlState})${hint === undefined ? '' : `: ${hint}`}`
}

/** Another task created the same table or column first. */
export function isAlreadyThere(error: unknown): boolean {
  return isOfServer(error) && ALREADY_THERE.has(error.errno)
}

/** The rows are to blame, not the connection or the server. */
export function isRowFault(error: unknown): boolean {
  if (!isOfServer(error)) return false
  const kind = failureKind(error)
  return FOREIGN_KEY.has(error.errno) || kind === 'data' || kind === 'missing'
}
