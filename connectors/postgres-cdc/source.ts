import { type ConfigIssue, ConfigError, defineSourceConnector, type PluginLogger, type RawConfig } from '@millrace/sdk'
import { PostgresError } from '../_shared/postgres-wire/index.ts'
import { type Config, config } from './config.ts'
import { settingsWithoutEffect, unsupportedSettings } from './debezium-settings.ts'
import { preflight } from './preflight.ts'
import { connectSql } from './session.ts'
import { makeTables, PostgresCdcTask } from './task.ts'
import { topicNames } from './topic-names.ts'
import { VERSION } from './version.ts'

const silent: PluginLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** Settings that contradict each other; needs no server. */
function contradictions(parsed: Config): ConfigIssue[] {
  return (['schema', 'table', 'column'] as const).flatMap((what) => {
    if (parsed[`${what}.include.list`] === null || parsed[`${what}.exclude.list`] === null) return []
    return [{ key: `${what}.exclude.list`, message: `set either "${what}.include.list" or "${what}.exclude.list"` }]
  })
}

/** The settings to blame for a connection that fails. */
function connectionIssue(error: unknown): ConfigIssue {
  if (!(error instanceof PostgresError)) return { key: 'database.hostname', message: (error as Error).message }
  const key = error.sqlstate.startsWith('28')
    ? 'database.user'
    : error.sqlstate === '3D000'
      ? 'database.dbname'
      : 'database.hostname'
  return { key, message: `cannot connect: ${error.message}` }
}

async function validate(parsed: Config, raw: RawConfig): Promise<readonly ConfigIssue[]> {
  const issues = [...unsupportedSettings(raw), ...contradictions(parsed)]
  if (issues.length > 0) return issues
  try {
    const connection = await connectSql(parsed)
    try {
      const prefix = parsed['topic.prefix']
      const topics = topicNames({ prefix, delimiter: parsed['topic.delimiter'], heartbeatPrefix: '' })
      const names = { version: VERSION, prefix, database: parsed['database.dbname'] }
      const tables = makeTables(parsed, names, topics, silent)
      const captured = await tables.captured(connection)
      return (await preflight(connection, parsed, captured)).issues
    } finally {
      await connection.close()
    }
  } catch (error) {
    return [connectionIssue(error)]
  }
}

/** Every change of the tables of a Postgres database, in the form of Debezium's Postgres connector. */
export default defineSourceConnector({
  name: 'PostgresCdcSource',
  version: VERSION,
  aliases: ['io.debezium.connector.postgresql.PostgresConnector', 'PostgresConnector'],
  config,
  validate,
  // One slot is one ordered stream, so there is one task whatever tasks.max is.
  taskConfigs: (_parsed, _maxTasks, raw) => [raw],
  createTask: (parsed, context) => {
    const [issue] = [...unsupportedSettings(context.raw), ...contradictions(parsed)]
    if (issue !== undefined) throw new ConfigError(`${issue.key}: ${issue.message}`, { key: issue.key })
    const keys = settingsWithoutEffect(context.raw)
    if (keys.length > 0) context.logger.info({ keys }, 'these settings of Debezium have no effect here; see the README')
    return new PostgresCdcTask(parsed, context)
  },
})
