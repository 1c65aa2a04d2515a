/** Splits a list at commas; `\,` is a comma within a member. */
export function splitList(text: string | null): string[] {
  if (text === null) return []
  return text
    .split(/(?<!\\),/)
    .map((member) => member.trim().replaceAll('\\,', ','))
    .filter((member) => member !== '')
}

/** What is wrong with a list of regular expressions, or undefined. */
export function regexListProblem(text: string | null): string | undefined {
  for (const member of splitList(text)) {
    try {
      anchored(member)
    } catch (error) {
      return `"${member}" is not a regular expression: ${(error as Error).message}`
    }
  }
  return undefined
}

/** The whole name must match, whatever its case. */
export const anchored = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, 'i')

type Test = (name: string) => boolean

function listTest(include: string | null, exclude: string | null): Test {
  const included = splitList(include).map(anchored)
  const excluded = splitList(exclude).map(anchored)
  return (name) =>
    (included.length === 0 || included.some((pattern) => pattern.test(name))) &&
    !excluded.some((pattern) => pattern.test(name))
}

export interface FilterConfig {
  readonly schemaInclude: string | null
  readonly schemaExclude: string | null
  readonly tableInclude: string | null
  readonly tableExclude: string | null
  readonly columnInclude: string | null
  readonly columnExclude: string | null
  readonly messageInclude: string | null
  readonly messageExclude: string | null
}

/** What is captured, by the include and exclude lists. */
export interface Filters {
  table(schema: string, table: string): boolean
  column(schema: string, table: string, column: string): boolean
  messagePrefix(prefix: string): boolean
}

const SYSTEM_SCHEMAS = new Set(['pg_catalog', 'information_schema', 'pg_toast'])

export function makeFilters(config: FilterConfig): Filters {
  const schemas = listTest(config.schemaInclude, config.schemaExclude)
  const tables = listTest(config.tableInclude, config.tableExclude)
  const columns = listTest(config.columnInclude, config.columnExclude)
  const prefixes = listTest(config.messageInclude, config.messageExclude)
  return {
    table: (schema, table) => !SYSTEM_SCHEMAS.has(schema) && schemas(schema) && tables(`${schema}.${table}`),
    column: (schema, table, column) => columns(`${schema}.${table}.${column}`),
    messagePrefix: prefixes,
  }
}

/** One rule of message.key.columns. */
export interface KeyRule {
  readonly table: RegExp
  readonly columns: readonly string[]
}

/** Reads `inventory.customers:pk1,pk2;(.*).purchaseorders:pk3`. Throws RangeError on anything else. */
export function parseKeyColumns(text: string | null): KeyRule[] {
  if (text === null || text.trim() === '') return []
  return text.split(';').map((rule) => {
    const match = /^\s*(.+):([^:]+?)\s*$/.exec(rule)
    const columns = match?.[2]?.split(',').map((column) => column.trim())
    if (match?.[1] === undefined || columns === undefined || columns.includes('')) {
      throw new RangeError(`"${rule}" is not of the form schema.table:column1,column2`)
    }
    return { table: anchored(match[1]), columns }
  })
}
