import type { Dialect } from '../dialect.ts'
import { isolationLevels, wrapQuery } from '../dialect-parts.ts'
import { plainIdentifier, quoteAlways } from '../table-id.ts'
import { formatInstant, parseInstant } from '../temporal.ts'
import { utc } from '../zone.ts'
import { columnFacts, createProblem, describeTable, listTables, privilegeProblem } from './catalog.ts'
import { connectPostgres, openPostgresCursor } from './connection.ts'
import { driverProperties, READER_NAME } from './driver-properties.ts'
import { addColumns, createTable } from './ddl.ts'
import { describeFailure, failureKind, isAlreadyThere, isRowFault } from './failures.ts'
import { binderOf, formOf } from './forms.ts'
import { truncateIdentifier } from './identifiers.ts'
import { offsetStatements } from './offset-statements.ts'
import { planReaders } from './readers.ts'
import type { PostgresColumn } from './rows-query.ts'
import { bindRows, writeStatements } from './writes.ts'

const ISOLATION: Readonly<Record<string, string | undefined>> = {
  DEFAULT: undefined,
  READ_UNCOMMITTED: 'read uncommitted',
  READ_COMMITTED: 'read committed',
  REPEATABLE_READ: 'repeatable read',
  SERIALIZABLE: 'serializable',
}

/** Our own readers hold transactions open as long as the log pushes back, and write nothing. */
const OLDEST_TRANSACTION = `select min(xact_start) from pg_stat_activity
  where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
    and application_name <> '${READER_NAME}'`

function shuffle<T>(list: readonly T[]): readonly T[] {
  return list
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}

/** PostgreSQL 12 and newer. */
export const postgresDialect: Dialect = {
  name: 'PostgreSqlDatabaseDialect',
  connect: (settings, purpose) => connectPostgres(settings, purpose, shuffle),
  checkSettings: (settings) => void driverProperties(settings),
  failureKind,
  describeFailure,
  isolationLevel: isolationLevels('PostgreSQL', ISOLATION),
  openCursor: openPostgresCursor,
  identifier(name, quoting) {
    if (quoting === 'always') return quoteAlways(name)
    return plainIdentifier(name).toLowerCase()
  },
  foldName: (name) => name.toLowerCase(),
  numberValue: (text) => text,
  async timestampComparison(_connection, _select, names, { zone, calendar }) {
    return { expressions: names, value: (instant) => formatInstant(instant, zone, calendar) }
  },
  placeholder: (index) => `$${index}`,
  wrapQuery,
  async databaseTime(connection) {
    const { rows } = await connection.run('select clock_timestamp()')
    return parseInstant(rows[0]?.[0] as string, utc, 'PROLEPTIC_GREGORIAN')
  },
  async oldestTransaction(connection) {
    const { rows } = await connection.run(OLDEST_TRANSACTION)
    const text = rows[0]?.[0]
    return text === null || text === undefined ? undefined : parseInstant(text, utc, 'PROLEPTIC_GREGORIAN')
  },
  async transactionsProblem(connection) {
    const { rows } = await connection.run("select pg_has_role('pg_read_all_stats', 'USAGE'), current_user")
    if (rows[0]?.[0] === 't') return undefined
    const user = quoteAlways(rows[0]?.[1] as string)
    return `the user does not see the transactions of others: GRANT pg_read_all_stats TO ${user}`
  },
  listTables,
  describeTable,
  privilegeProblem,
  async readers(connection, columns, options) {
    const ours = columns as readonly PostgresColumn[]
    return planReaders(ours, await columnFacts(connection, ours), options)
  },
  sink: {
    begin: 'BEGIN',
    checkConstraints: 'SET CONSTRAINTS ALL IMMEDIATE',
    changesCommit: false,
    storedName: truncateIdentifier,
    binder: binderOf,
    formOf,
    createTable,
    addColumns: (...args) => [addColumns(...args)],
    writeStatements,
    bindRows,
    createProblem,
    offsetStatements,
    isAlreadyThere,
    isRowFault,
  },
}
