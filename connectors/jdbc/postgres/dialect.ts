import { ConfigError } from '@millrace/sdk'
import type { Dialect } from '../dialect.ts'
import { quoteAlways } from '../table-id.ts'
import { parseInstant } from '../temporal.ts'
import { utc } from '../zone.ts'
import { binderOf } from './binders.ts'
import { columnFacts, createProblem, describeTable, listTables, privilegeProblem } from './catalog.ts'
import { connectPostgres, openPostgresCursor } from './connection.ts'
import { driverProperties } from './driver-properties.ts'
import { addColumns, createTable } from './ddl.ts'
import { describeFailure, failureKind, isAlreadyThere, isRowFault } from './failures.ts'
import { planReaders } from './readers.ts'
import { bindRows, writeStatements } from './writes.ts'

const ISOLATION: Readonly<Record<string, string | undefined>> = {
  DEFAULT: undefined,
  READ_UNCOMMITTED: 'read uncommitted',
  READ_COMMITTED: 'read committed',
  REPEATABLE_READ: 'repeatable read',
  SERIALIZABLE: 'serializable',
}

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
  isolationLevel(mode) {
    if (!(mode in ISOLATION)) {
      throw new ConfigError(`transaction.isolation.mode: ${mode} belongs to SQL Server; PostgreSQL has none like it`, {
        key: 'transaction.isolation.mode',
      })
    }
    return ISOLATION[mode]
  },
  openCursor: openPostgresCursor,
  identifier(name, quoting) {
    if (quoting === 'always') return quoteAlways(name)
    // Without quotes a name is SQL text, so only a plain one may pass.
    if (/^[A-Za-z_][A-Za-z0-9_$]*$/.test(name)) return name.toLowerCase()
    throw new ConfigError(`quote.sql.identifiers=never cannot write the name "${name}"; set it to always`, {
      key: 'quote.sql.identifiers',
    })
  },
  placeholder: (index) => `$${index}`,
  // The line break ends a comment that the query may end with.
  wrapQuery: (query) => `(${query.replace(/;\s*$/, '')}\n) as millrace_query`,
  async databaseTime(connection) {
    const { rows } = await connection.run('select clock_timestamp()')
    return parseInstant(rows[0]?.[0] as string, utc, 'PROLEPTIC_GREGORIAN')
  },
  listTables,
  describeTable,
  privilegeProblem,
  async readers(connection, columns, options) {
    return planReaders(columns, await columnFacts(connection, columns), options)
  },
  sink: {
    binder: binderOf,
    createTable,
    addColumns,
    writeStatements,
    bindRows,
    createProblem,
    isAlreadyThere,
    isRowFault,
  },
}
