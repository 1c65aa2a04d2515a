import {
  type ConfigIssue,
  type ConnectorContext,
  parseConfig,
  type PluginLogger,
  type RawConfig,
  type SinkConnector,
  type SourceConnector,
} from '@millrace/sdk'
import { expectThat } from './check.ts'
import { loadClients } from './kafka-clients.ts'

/** The name under which the checks run a connector. */
export const CONNECTOR_NAME = 'testkit'

/** A logger that keeps nothing: what plugins log is theirs. */
export const silent: PluginLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Everything that the definition has against a configuration, as a worker asks before it starts the connector. */
export async function configIssues(
  definition: SourceConnector | SinkConnector,
  raw: RawConfig,
): Promise<readonly ConfigIssue[]> {
  const { values, issues } = parseConfig(definition.config, raw)
  if (issues.length > 0 || !definition.validate) return issues
  return definition.validate(values, raw)
}

/**
 * The configurations of the tasks, as a worker asks for them. Throws where the configuration is refused. `kafka` is the
 * module of clients that the options name.
 */
export async function taskConfigs(
  definition: SourceConnector | SinkConnector,
  raw: RawConfig,
  maxTasks: number,
  kafka: URL | undefined,
): Promise<readonly RawConfig[]> {
  const issues = await configIssues(definition, raw)
  if (issues.length > 0) throw new Error(issues.map(({ message }) => message).join('\n'))
  const { values } = parseConfig(definition.config, raw)
  const clients = await loadClients(kafka)
  const context: ConnectorContext = {
    connectorName: CONNECTOR_NAME,
    logger: silent,
    ...clients.context,
    requestTaskReconfiguration: () => {},
    raiseError: () => {},
  }
  try {
    return await definition.taskConfigs(values, maxTasks, raw, context)
  } finally {
    await clients.close()
  }
}

/** The configuration of the only task that a connector has when it is allowed one. */
export async function onlyTaskConfig(
  definition: SourceConnector | SinkConnector,
  raw: RawConfig,
  kafka: URL | undefined,
): Promise<RawConfig> {
  const [config] = await taskConfigs(definition, raw, 1, kafka)
  expectThat(config, 'taskConfigs gave no task for a system that has something to do')
  return config
}
