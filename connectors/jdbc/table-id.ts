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

/** Splits a list such as `"a"."b,c",d` at the commas outside of quotes. */
export function splitQuoted(text: string, separator: ',' | '.'): string[] {
  const parts: string[] = []
  let part = ''
  let inside = false
  for (const char of text) {
    if (char === '"') inside = !inside
    if (char === separator && !inside) {
      parts.push(part)
      part = ''
    } else part += char
  }
  parts.push(part)
  return parts.map((each) => each.trim()).filter((each) => each !== '')
}

/** Takes the quotes of an identifier away; an unquoted one stays as it is. */
export function unquote(text: string): string {
  return /^"[^]*"$/.test(text) && text.length >= 2 ? text.slice(1, -1).replaceAll('""', '"') : text
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
