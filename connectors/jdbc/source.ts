import {
  ConfigError,
  type ConfigIssue,
  type ConnectorContext,
  defineSourceConnector,
  type PluginLogger,
  type RawConfig,
} from '@millrace/sdk'
import { connectionSettings } from './connection-config.ts'
import { connectWithRetries, isPassing } from './database-connect.ts'
import { type Dialect, dialectOf } from './dialect.ts'
import { sourceManifest } from './manifest.ts'
import { queryColumns, tableColumns, usesTimestamp } from './source-columns.ts'
import { type SourceConfig, sourceConfig } from './source-config.ts'
import { customQuery, JdbcSourceTask } from './source-task.ts'
import type { SqlConnection } from './sql.ts'
import { findTables, groupContiguous, writeTables } from './table-selection.ts'
import { PENDING, rememberTables, watchTables } from './table-monitor.ts'

const quiet: PluginLogger = { debug() {}, info() {}, warn() {}, error() {} }

async function validate(config: SourceConfig, raw: RawConfig): Promise<readonly ConfigIssue[]> {
  const issues: ConfigIssue[] = []
  const check = async (key: string, step: () => Promise<void> | void): Promise<boolean> => {
    try {
      await step()
      return true
    } catch (error) {
      const named = (error as { key?: unknown }).key
      const found = typeof named === 'string' ? named : key
      issues.push({ key: found, message: withoutKey(found, (error as Error).message) })
      return false
    }
  }
  const settings = connectionSettings(config, raw)
  const dialect = dialectOf(settings)
  const query = customQuery(config)
  await check('connection.url', () => dialect.checkSettings(settings))
  await check('transaction.isolation.mode', () => void dialect.isolationLevel(config['transaction.isolation.mode']))
  if (query !== '') {
    await check('incrementing.column.name', () => void queryColumns(config))
    if (config['topic.prefix'] === '')
      issues.push({ key: 'topic.prefix', message: 'names the topic of the query, so it may not be empty' })
  }
  if (
    usesTimestamp(config.mode) &&
    config['timestamp.column.name'].length + config['timestamp.columns.mapping'].length === 0
  ) {
    issues.push({ key: 'timestamp.column.name', message: `the mode ${config.mode} needs it` })
  }
  if (issues.length > 0) return issues
  await check('connection.url', async () => {
    const connection = await connectWithRetries(
      dialect,
      { ...settings, attempts: 1 },
      { purpose: 'read', logger: quiet },
    )
    try {
      if (config['timestamp.await.transactions']) {
        const problem = await dialect.transactionsProblem(connection)
        if (problem !== undefined) issues.push({ key: 'timestamp.await.transactions', message: problem })
      }
      if (query === '') await checkTables(dialect, connection, config, check)
      else await check('query', () => checkQuery(dialect, connection, query))
    } finally {
      await connection.close()
    }
  })
  return issues
}

async function checkTables(
  dialect: Dialect,
  connection: SqlConnection,
  config: SourceConfig,
  check: (key: string, step: () => Promise<void>) => Promise<boolean>,
): Promise<void> {
  // A table may be created later, so none at all is no error here; the task says so if it starts without one.
  const tables = await findTables(dialect, connection, config)
  for (const table of tables) {
    const isFine = await check('table.whitelist', async () => {
      const description = await dialect.describeTable(connection, table)
      if (description === null) return
      tableColumns(config, description)
      const problem = await dialect.privilegeProblem(connection, table, ['SELECT'])
      if (problem !== undefined) throw new ConfigError(problem, { key: 'connection.user' })
    })
    // One table shows what is wrong; a thousand would drown it.
    if (!isFine) return
  }
}

async function checkQuery(dialect: Dialect, connection: SqlConnection, query: string): Promise<void> {
  try {
    await connection.run(`EXPLAIN ${query.replace(/;\s*$/, '')}`)
  } catch (error) {
    throw new Error(dialect.describeFailure(error, false), { cause: error })
  }
}

function withoutKey(key: string, message: string): string {
  return message.startsWith(`${key}: `) ? message.slice(key.length + 2) : message
}

async function taskConfigs(
  config: SourceConfig,
  maxTasks: number,
  raw: RawConfig,
  context: ConnectorContext,
): Promise<readonly RawConfig[]> {
  if (customQuery(config) !== '') return [{ ...raw }]
  const settings = connectionSettings(config, raw)
  const dialect = dialectOf(settings)
  const signal = AbortSignal.timeout(Math.max(config['table.monitoring.startup.polling.limit.ms'], 1))
  let connection: SqlConnection
  try {
    connection = await connectWithRetries(dialect, settings, { purpose: 'read', logger: context.logger, signal })
  } catch (error) {
    const cause = (error as Error).cause ?? error
    if (!isPassing(dialect, cause)) throw error
    // The database is away: an idle task stands in, and the monitor asks again as soon as the tables are known.
    context.logger.warn({ reason: (error as Error).message }, 'the tables are not known yet')
    rememberTables(context, PENDING)
    return [{ ...raw, tables: '', 'tables.fetched': 'false' }]
  }
  try {
    const tables = await findTables(dialect, connection, config)
    rememberTables(context, writeTables(tables))
    const groups = tables.length === 0 ? [[]] : groupContiguous(tables, maxTasks)
    return groups.map((group) => ({ ...raw, tables: writeTables(group), 'tables.fetched': 'true' }))
  } finally {
    await connection.close()
  }
}

export default defineSourceConnector({
  name: sourceManifest.name,
  version: sourceManifest.version,
  aliases: sourceManifest.aliases,
  config: sourceConfig,
  validate,
  taskConfigs,
  monitor: (config, raw, context) =>
    // A query has no tables that could appear.
    customQuery(config) === '' ? watchTables(config, raw, context) : { stop: () => undefined },
  createTask: (config, context) => new JdbcSourceTask(config, context),
})
