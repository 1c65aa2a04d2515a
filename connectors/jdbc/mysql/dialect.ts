import { ConfigError } from '@millrace/sdk'
import type { Dialect } from '../dialect.ts'
import { isolationLevels, untoldTransactions, wrapQuery } from '../dialect-parts.ts'
import type { SqlConnection } from '../sql.ts'
import { plainIdentifier } from '../table-id.ts'
import { formatWallClock, parseInstant } from '../temporal.ts'
import { utc } from '../zone.ts'
import { binderOf } from './binders.ts'
import { createProblem, describeTable, listTables, privilegeProblem } from './catalog.ts'
import { connectMysql, type MysqlColumn, type MysqlConnection } from './connection.ts'
import { addColumns, createTable } from './ddl.ts'
import { driverProperties } from './driver-properties.ts'
import { describeFailure, failureKind, isAlreadyThere, isRowFault } from './failures.ts'
import { quoteName } from './literals.ts'
import { planReaders, TIMESTAMP_TYPE } from './readers.ts'
import { bindRows, offsetStatements, writeStatements } from './writes.ts'

const ISOLATION: Readonly<Record<string, string | undefined>> = {
  DEFAULT: undefined,
  READ_UNCOMMITTED: 'READ UNCOMMITTED',
  READ_COMMITTED: 'READ COMMITTED',
  REPEATABLE_READ: 'REPEATABLE READ',
  SERIALIZABLE: 'SERIALIZABLE',
}

/** Of our own dialect every connection is of this class. */
const ours = (connection: SqlConnection): MysqlConnection => connection as MysqlConnection

/** MySQL 5.7 and newer, MariaDB 10.3 and newer. */
export const mysqlDialect: Dialect = {
  name: 'MySqlDatabaseDialect',
  connect: connectMysql,
  checkSettings: (settings) => void driverProperties(settings),
  failureKind,
  describeFailure,
  isolationLevel: isolationLevels('MySQL', ISOLATION),
  async openCursor(connection, statement, isolation) {
    if (isolation !== undefined) await connection.run(`SET SESSION TRANSACTION ISOLATION LEVEL ${isolation}`)
    return ours(connection).open(statement)
  },
  identifier: (name, quoting) => (quoting === 'always' ? quoteName(name) : plainIdentifier(name)),
  // Whether tables that differ in case are two depends on the server's file system; it knows best.
  foldName: (name) => name,
  placeholder: () => '?',
  numberValue: BigInt,
  wrapQuery,
  async databaseTime(connection) {
    const { rows } = await connection.run('SELECT UTC_TIMESTAMP(6)')
    return parseInstant(rows[0]?.[0] as string, utc, 'PROLEPTIC_GREGORIAN')
  },
  ...untoldTransactions,
  async timestampComparison(connection, select, names, { zone, calendar }) {
    // A TIMESTAMP is compared in the zone of the session, which is UTC, a DATETIME as the wall clock that it is.
    const { columns } = await connection.run(`SELECT ${names.join(', ')} FROM (${select}\n) AS millrace_types LIMIT 0`)
    const points = (columns as readonly MysqlColumn[]).filter(({ type }) => type === TIMESTAMP_TYPE).length
    if (points !== 0 && points !== columns.length && zone !== utc) {
      throw new ConfigError(
        `timestamp.column.name: ${names.join(', ')} are TIMESTAMP and DATETIME, which can be compared with one ` +
          'another only when db.timezone is UTC; name columns of one type',
        { key: 'timestamp.column.name' },
      )
    }
    const meant = points > 0 ? utc : zone
    return { expressions: names, value: (instant) => formatWallClock(instant, meant, calendar) }
  },
  listTables,
  describeTable,
  privilegeProblem,
  async readers(connection, columns, options) {
    return planReaders(columns as readonly MysqlColumn[], options, ours(connection).zeroDates)
  },
  sink: {
    begin: 'START TRANSACTION',
    checkConstraints: undefined,
    changesCommit: true,
    storedName: (name) => name,
    binder: binderOf,
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
