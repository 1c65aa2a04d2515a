import { ConfigError } from '@millrace/sdk'

/** The name of a table, unquoted. */
export interface TableId {
  readonly schema: string | undefined
  readonly name: string
}

/** `schema.table` as the user would write it, without quotes; also the `table` of the source partition. */
export function plainName(table: TableId): string {
  return table.schema === undefined ? table.name : `${table.schema}.${table.name}`
}

/** Quotes one identifier. A quote inside is doubled, so no name can end the identifier early. */
export function quoteAlways(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

/** `"schema"."table"`, whatever the settings say: the form in which tables travel in task configs. */
export function quotedName(table: TableId): string {
  return table.schema === undefined
    ? quoteAlways(table.name)
    : `${quoteAlways(table.schema)}.${quoteAlways(table.name)}`
}

/** A name that may stand in SQL without quotes. Throws ConfigError for any other: it would be SQL text. */
export function plainIdentifier(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_$]*$/.test(name)) return name
  throw new ConfigError(`quote.sql.identifiers=never cannot write the name "${name}"; set it to always`, {
    key: 'quote.sql.identifiers',
  })
}

/** A table's name as the database reads it in statements: without quotes some fold the case. */
export function readAs(
  dialect: { foldName(name: string): string },
  table: TableId,
  quoting: 'always' | 'never',
): TableId {
  if (quoting === 'always') return table
  return {
    schema: table.schema === undefined ? undefined : dialect.foldName(table.schema),
    name: dialect.foldName(table.name),
  }
}

/** Splits a list such as `"a"."b,c",d` at the commas outside of quotes, which may be backticks as in MySQL. */
export function splitQuoted(text: string, separator: ',' | '.'): string[] {
  const parts: string[] = []
  let part = ''
  let inside = ''
  for (const char of text) {
    if (inside === char) inside = ''
    else if (inside === '' && (char === '"' || char === '`')) inside = char
    if (char === separator && inside === '') {
      parts.push(part)
      part = ''
    } else part += char
  }
  parts.push(part)
  return parts.map((each) => each.trim()).filter((each) => each !== '')
}

/** Takes the quotes of an identifier away; an unquoted one stays as it is. */
export function unquote(text: string): string {
  const quote = text[0] ?? ''
  if (text.length < 2 || (quote !== '"' && quote !== '`') || !text.endsWith(quote)) return text
  return text.slice(1, -1).replaceAll(quote + quote, quote)
}

/** Reads `table`, `schema.table` or `catalog.schema.table`, each part quoted or not; the catalog is dropped. */
export function parseTableId(text: string): TableId {
  const parts = splitQuoted(text, '.')
  const name = parts.at(-1)
  if (name === undefined || parts.length > 3) {
    throw new ConfigError(`not a table name: "${text}"; write table, schema.table or "Schema"."Table"`)
  }
  const schema = parts.at(-2)
  return { schema: schema === undefined ? undefined : unquote(schema), name: unquote(name) }
}
