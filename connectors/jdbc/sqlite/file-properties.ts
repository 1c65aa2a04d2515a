import { ConfigError } from '@millrace/sdk'
import type { ConnectionSettings } from '../connection-config.ts'

/** What the properties of the JDBC URL mean for our connections. */
export interface FileProperties {
  readonly file: string
  readonly busyMs: number
  readonly foreignKeys: boolean
  readonly pragmas: readonly string[]
}

/** As the JDBC driver waits. */
const BUSY_MS = 3000
const JOURNAL_MODES = ['DELETE', 'TRUNCATE', 'PERSIST', 'WAL']
const SYNCHRONOUS = ['OFF', 'NORMAL', 'FULL', 'EXTRA']

/** Properties that would change what is written or read: leaving one out silently would be wrong. */
const REFUSED: Readonly<Record<string, { readonly allowed: string; readonly reason: string }>> = {
  date_class: { allowed: 'INTEGER', reason: 'declare the column TEXT or DATETIME to have times written as text' },
  date_precision: { allowed: 'MILLISECONDS', reason: 'times are written in milliseconds' },
  date_string_format: { allowed: 'yyyy-MM-dd HH:mm:ss.SSS', reason: 'texts are those of the database itself' },
  password: { allowed: '', reason: 'encrypted files are not supported' },
  cipher: { allowed: '', reason: 'encrypted files are not supported' },
  key: { allowed: '', reason: 'encrypted files are not supported' },
  enable_load_extension: { allowed: 'false', reason: 'extensions are not loaded' },
  open_mode: { allowed: '', reason: 'a source reads and a sink writes; leave it out' },
}

/** Translates the properties of the SQLite JDBC driver. Throws ConfigError for what cannot be honoured. */
export function fileProperties(settings: ConnectionSettings): FileProperties {
  const get = (name: string): string | undefined => settings.properties.get(name)
  for (const [name, { allowed, reason }] of Object.entries(REFUSED)) {
    const value = get(name)
    if (value !== undefined && value.toLowerCase() !== allowed.toLowerCase()) throw refuse(name, reason)
  }
  const busyMs = Number(get('busy_timeout') ?? BUSY_MS)
  if (!Number.isInteger(busyMs) || busyMs < 0) {
    throw refuse('busy_timeout', `"${get('busy_timeout')}" is not a number of milliseconds`)
  }
  return {
    file: settings.url.database as string,
    busyMs,
    foreignKeys: /^(true|on|1)$/i.test(get('foreign_keys') ?? 'false'),
    pragmas: [
      ...pragma('journal_mode', get('journal_mode'), JOURNAL_MODES),
      ...pragma('synchronous', get('synchronous'), SYNCHRONOUS),
    ],
  }
}

function pragma(name: string, value: string | undefined, allowed: readonly string[]): string[] {
  if (value === undefined) return []
  if (!allowed.includes(value.toUpperCase())) throw refuse(name, `"${value}" is not one of ${allowed.join(', ')}`)
  return [`PRAGMA ${name} = ${value}`]
}

function refuse(name: string, reason: string): ConfigError {
  return new ConfigError(`connection.url: the property ${name} is refused: ${reason}`, { key: 'connection.url' })
}
