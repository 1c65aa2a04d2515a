import { ConfigError } from '@millrace/sdk'

/** Compiles a pattern as Java users write it: the whole name must match; a leading `(?i)` ignores case. */
export function compilePattern(key: string, pattern: string): RegExp {
  const flags = /^\(\?([a-z]+)\)/.exec(pattern)
  const body = flags ? pattern.slice(flags[0].length) : pattern
  if (flags && !/^[ismu]+$/.test(flags[1] as string)) {
    throw new ConfigError(`${key}: the flags ${flags[0]} of "${pattern}" are not supported`, { key })
  }
  try {
    return new RegExp(`^(?:${body})$`, flags ? [...new Set(flags[1] as string)].join('') : '')
  } catch (cause) {
    throw new ConfigError(`${key}: "${pattern}" is not a regular expression: ${(cause as Error).message}`, {
      key,
      cause,
    })
  }
}

/** One entry of a column mapping: tables that match have these columns. */
export interface ColumnMapping {
  readonly pattern: RegExp
  readonly columns: readonly string[]
}

/** Reads `regex:column` or `regex:[column1|column2]`; the last colon separates. */
export function parseColumnMapping(key: string, entry: string): ColumnMapping {
  const at = entry.lastIndexOf(':')
  if (at < 1)
    throw new ConfigError(`${key}: "${entry}" is not of the form regex:column or regex:[column1|column2]`, { key })
  const text = entry.slice(at + 1).trim()
  const list = /^\[(.*)\]$/.exec(text)
  const columns = (list ? (list[1] as string).split('|') : [text])
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (columns.length === 0) throw new ConfigError(`${key}: "${entry}" names no column`, { key })
  return { pattern: compilePattern(key, entry.slice(0, at).trim()), columns }
}

/** The columns for one table: exactly one entry must match. */
export function mappedColumns(key: string, mappings: readonly ColumnMapping[], table: string): readonly string[] {
  const matching = mappings.filter(({ pattern }) => pattern.test(table))
  if (matching.length !== 1) {
    const found = matching.length === 0 ? 'no entry' : `${matching.length} entries`
    throw new ConfigError(`${key}: ${found} match the table ${table}; exactly one must`, { key })
  }
  return (matching[0] as ColumnMapping).columns
}
