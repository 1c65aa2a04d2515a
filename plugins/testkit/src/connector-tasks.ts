import {
  type ConfigIssue,
  type ConnectorContext,
  parseConfig,
  type PluginLogger,
  type RawConfig,
  type SinkConnector,
  type SourceConnector,
} from '@millrace/sdk'

/** The name under which the checks run a connector. */
export const CONNECTOR_NAME = 'testkit'

/** A logger that keeps nothing: what plugins log is theirs. */
export const silent: PluginLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** What a connector (not a task) is given. */
export function connectorContext(): ConnectorContext {
  return {
    connectorName: CONNECTOR_NAME,
    logger: silent,
    requestTaskReconfiguration: () => {},
    raiseError: () => {},
  }
}

/** Everything that the definition has against a configuration, as a worker asks before it starts the connector. */
export async function configIssues(
  definition: SourceConnector | SinkConnector,
  raw: RawConfig,
): Promise<readonly ConfigIssue[]> {
  const { values, issues } = parseConfig(definition.config, raw)
  if (issues.length > 0 || !definition.validate) return issues
  return definition.validate(values, raw)
}

/** The configurations of the tasks, as a worker asks for them. Throws where the configuration is refused. */
export async function taskConfigs(
  definition: SourceConnector | SinkConnector,
  raw: RawConfig,
  maxTasks: number,
): Promise<readonly RawConfig[]> {
  const issues = await configIssues(definition, raw)
  if (issues.length > 0) throw new Error(issues.map(({ message }) => message).join('\n'))
  const { values } = parseConfig(definition.config, raw)
  return definition.taskConfigs(values, maxTasks, raw, connectorContext())
}
