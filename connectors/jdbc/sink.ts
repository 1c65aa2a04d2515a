import { type ConfigIssue, defineSinkConnector, type PluginLogger, type RawConfig } from '@millrace/sdk'
import { connectionSettings, quotingOf } from './connection-config.ts'
import { connectWithRetries } from './database-connect.ts'
import { type Dialect, dialectOf } from './dialect.ts'
import { sinkManifest } from './manifest.ts'
import { type SinkConfig, sinkConfig } from './sink-config.ts'
import { JdbcSinkTask } from './sink-task.ts'
import type { SqlConnection } from './sql.ts'
import { parseTableId, plainName, readAs } from './table-id.ts'
import { tableForTopic } from './table-name.ts'

const quiet: PluginLogger = { debug() {}, info() {}, warn() {}, error() {} }

async function validate(config: SinkConfig, raw: RawConfig): Promise<readonly ConfigIssue[]> {
  const settings = connectionSettings(config, raw)
  const dialect = dialectOf(settings)
  try {
    dialect.checkSettings(settings)
    const connection = await connectWithRetries(
      dialect,
      { ...settings, attempts: 1 },
      { purpose: 'write', logger: quiet },
    )
    try {
      return await checkTables(dialect, connection, config, raw)
    } finally {
      await connection.close()
    }
  } catch (error) {
    const { key, message } = error as { key?: unknown; message: string }
    const named = typeof key === 'string' ? key : 'connection.url'
    return [{ key: named, message: message.replace(`${named}: `, '') }]
  }
}

/** Tables of topics that are named in the config can be looked at before the first record. */
async function checkTables(
  dialect: Dialect,
  connection: SqlConnection,
  config: SinkConfig,
  raw: RawConfig,
): Promise<readonly ConfigIssue[]> {
  const issues: ConfigIssue[] = []
  const topics = (raw['topics'] ?? '').split(',').map((topic) => topic.trim())
  for (const topic of topics.filter((each) => each !== '')) {
    const table = tableForTopic(config, topic, dialect.sink.storedName)
    const found = await dialect.describeTable(connection, readAs(dialect, table, quotingOf(config)))
    if (found === null) {
      const problem = config['auto.create']
        ? await schemaProblem(dialect, connection, table.schema)
        : `the table ${plainName(table)} for the topic ${topic} is missing; create it or set auto.create=true`
      if (problem !== undefined)
        issues.push({ key: config['auto.create'] ? 'table.name.format' : 'auto.create', message: problem })
    } else if (!config['table.types'].includes(found.kind)) {
      const message = `${plainName(table)} is a ${found.kind}; add that to table.types to write to it`
      issues.push({ key: 'table.types', message })
    } else {
      const problem = await dialect.privilegeProblem(connection, found.table, neededPrivileges(config))
      if (problem !== undefined) issues.push({ key: 'connection.user', message: problem })
    }
  }
  if (
    config['exactly.once'] &&
    (await dialect.describeTable(connection, parseTableId(config['exactly.once.offsets.table']))) === null
  ) {
    const problem = await schemaProblem(dialect, connection, parseTableId(config['exactly.once.offsets.table']).schema)
    if (problem !== undefined) issues.push({ key: 'exactly.once.offsets.table', message: problem })
  }
  return issues
}

function neededPrivileges(config: SinkConfig): readonly string[] {
  const mode = config['insert.mode']
  return [
    ...(mode === 'update' ? [] : ['INSERT']),
    // Finding a row by its key reads it.
    ...(mode === 'insert' ? [] : ['UPDATE', 'SELECT']),
    ...(config['delete.enabled'] ? ['DELETE'] : []),
  ]
}

async function schemaProblem(
  dialect: Dialect,
  connection: SqlConnection,
  schema: string | undefined,
): Promise<string | undefined> {
  const problem = await dialect.sink.createProblem(connection, schema)
  return problem === undefined ? undefined : `a table is to be created, but ${problem}`
}

export default defineSinkConnector({
  name: sinkManifest.name,
  version: sinkManifest.version,
  aliases: sinkManifest.aliases,
  config: sinkConfig,
  validate,
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => ({ ...raw })),
  createTask: (config, context) => new JdbcSinkTask(config, context),
})
