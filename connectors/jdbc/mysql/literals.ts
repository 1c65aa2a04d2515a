import type { SqlValue } from '../sql.ts'

/** Text as SQL; our sessions read backslashes as escapes. */
export function quoteText(text: string): string {
  return `'${/['\\]/.test(text) ? text.replace(/['\\]/g, '\\$&') : text}'`
}

/** Bytes as SQL. */
export function quoteBytes(bytes: Uint8Array): string {
  return `X'${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}'`
}

/** A parameter as SQL. */
export function literal(value: SqlValue): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return quoteText(value)
  return typeof value === 'object' ? quoteBytes(value) : String(value)
}

/** Quotes one identifier. A backtick inside is doubled, so no name can end the identifier early. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}
