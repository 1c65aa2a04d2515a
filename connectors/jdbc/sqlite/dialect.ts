import { ConfigError } from '@millrace/sdk'
import type { Dialect } from '../dialect.ts'
import { untoldTransactions, wrapQuery } from '../dialect-parts.ts'
import type { SqlConnection } from '../sql.ts'
import { plainIdentifier, quoteAlways } from '../table-id.ts'
import { formatWallClock, type Instant, parseInstant } from '../temporal.ts'
import { utc } from '../zone.ts'
import { binderOf } from './binders.ts'
import { createProblem, describeTable, listTables } from './catalog.ts'
import { connectSqlite, type SqliteColumn, type SqliteConnection } from './connection.ts'
import { addColumns, createTable } from './ddl.ts'
import { describeFailure, failureKind, isAlreadyThere, isRowFault } from './failures.ts'
import { fileProperties } from './file-properties.ts'
import { planReaders } from './readers.ts'
import { bindRows, offsetStatements, writeStatements } from './writes.ts'

/** Of our own dialect every connection is of this class. */
const ours = (connection: SqlConnection): SqliteConnection => connection as SqliteConnection

/** Milliseconds, with which SQLite's functions reckon. */
function comparable(instant: Instant): Instant {
  const ms = Math.floor(instant.nanos / 1_000_000)
  return { ms: instant.ms, nanos: ms * 1_000_000 }
}

/** What a timestamp column holds, as text that sorts: from milliseconds since the epoch, or from any text of a time. */
function sortable(name: string): string {
  const form = "'%Y-%m-%d %H:%M:%f'"
  return `CASE typeof(${name}) WHEN 'integer' THEN strftime(${form}, ${name} / 1000.0, 'unixepoch') ELSE strftime(${form}, ${name}) END`
}

/** SQLite 3.53, which comes with Node. */
export const sqliteDialect: Dialect = {
  name: 'SqliteDatabaseDialect',
  connect: connectSqlite,
  checkSettings: (settings) => void fileProperties(settings),
  failureKind,
  describeFailure,
  isolationLevel(mode) {
    // One snapshot for each statement, and one writer at a time: there is no weaker or stronger one to choose.
    if (mode === 'DEFAULT' || mode === 'SERIALIZABLE') return undefined
    throw new ConfigError(`transaction.isolation.mode: SQLite is always SERIALIZABLE, and knows no ${mode}`, {
      key: 'transaction.isolation.mode',
    })
  },
  openCursor: (connection, statement) => ours(connection).open(statement),
  identifier: (name, quoting) => (quoting === 'always' ? quoteAlways(name) : plainIdentifier(name)),
  foldName: (name) => name,
  placeholder: (index) => `?${index}`,
  numberValue: BigInt,
  wrapQuery,
  async databaseTime(connection) {
    const { rows } = await connection.run("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")
    return parseInstant(rows[0]?.[0] as string, utc, 'PROLEPTIC_GREGORIAN')
  },
  ...untoldTransactions,
  async timestampComparison(_connection, _select, names, { zone, calendar }) {
    return {
      expressions: names.map(sortable),
      value(instant) {
        const text = formatWallClock(comparable(instant), zone, calendar)
        const [whole, fraction = ''] = text.split('.') as [string, string?]
        return `${whole}.${fraction.padEnd(3, '0')}`
      },
    }
  },
  listTables,
  describeTable,
  // Who may open the file may do everything.
  privilegeProblem: async () => undefined,
  async readers(connection, columns, options) {
    const found = columns as readonly SqliteColumn[]
    const required = new Set<string>()
    for (const table of new Set(found.flatMap(({ origin }) => (origin === null ? [] : [origin.table])))) {
      const description = await describeTable(connection, { schema: undefined, name: table })
      for (const { name, nullable } of description?.columns ?? []) if (!nullable) required.add(`${table}.${name}`)
    }
    // An outer join makes nulls of columns that hold none, so only the columns of one table are sure.
    const tables = new Set(found.map(({ origin }) => origin?.table))
    const isOptional = ({ origin }: SqliteColumn): boolean =>
      origin === null || tables.size > 1 || !required.has(`${origin.table}.${origin.column}`)
    return planReaders(found, isOptional, options)
  },
  sink: {
    // A transaction that reads first could not become one that writes while another does.
    begin: 'BEGIN IMMEDIATE',
    checkConstraints: undefined,
    changesCommit: false,
    storedName: (name) => name,
    binder: binderOf,
    createTable,
    addColumns,
    writeStatements,
    bindRows,
    createProblem,
    offsetStatements,
    isAlreadyThere,
    isRowFault,
  },
}
