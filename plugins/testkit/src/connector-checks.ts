import {
  parseConfig,
  parseConfigOrThrow,
  type RawConfig,
  type SinkConnector,
  type SourceConnector,
} from '@millrace/sdk'
import { type Check, expectThat } from './check.ts'
import { CONNECTOR_NAME, silent, taskConfigs } from './connector-tasks.ts'
import { within } from './deadline.ts'
import { type DefinitionCheck, definitionChecks } from './definition-checks.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { OffsetStore } from './offset-store.ts'
import { loadClients } from './kafka-clients.ts'
import type { ConnectorOptions } from './options.ts'

/** The checks that sources and sinks have in common. */
export type ConnectorCheck = DefinitionCheck | 'task-configs'

interface OpenSystem {
  readonly config: RawConfig
  close?(): Promise<void> | void
}

/** The checks of a connector's definition, of its configuration and of how it splits its work. */
export function connectorChecks(
  definition: SourceConnector | SinkConnector,
  options: ConnectorOptions<never>,
  open: () => Promise<OpenSystem> | OpenSystem,
): readonly Check<ConnectorCheck>[] {
  const probe = { open: async () => open(), use: (raw: RawConfig) => startOnce(definition, raw, options) }
  return [
    ...definitionChecks(definition, options, probe),
    {
      name: 'task-configs',
      title: 'taskConfigs gives at most as many configurations as tasks are allowed, each of which is valid',
      run: async () => {
        const system = await open()
        try {
          for (const maxTasks of [1, 2, 7]) {
            checkTaskConfigs(
              definition,
              maxTasks,
              await taskConfigs(definition, system.config, maxTasks, options.kafka),
            )
          }
        } finally {
          await system.close?.()
        }
      },
    },
  ]
}

function checkTaskConfigs(
  definition: SourceConnector | SinkConnector,
  maxTasks: number,
  configs: readonly RawConfig[],
): void {
  expectThat(configs.length > 0, `no configuration for ${maxTasks} tasks, so nothing would run`)
  expectThat(configs.length <= maxTasks, `${configs.length} configurations for ${maxTasks} tasks`)
  for (const config of configs) {
    const deep = Object.entries(config).find(([, value]) => typeof value !== 'string')
    expectThat(!deep, `${deep?.[0]} of a task's configuration is no text`)
    const [issue] = parseConfig(definition.config, config).issues
    expectThat(!issue, `the definition refuses a task's configuration: ${issue?.message}`)
  }
}

/** Brings a task to life and ends it. */
async function startOnce(
  definition: SourceConnector | SinkConnector,
  raw: RawConfig,
  { kafka, limits }: ConnectorOptions<never>,
): Promise<void> {
  const { deadlineMs } = { ...DEFAULT_LIMITS, ...limits }
  const [config] = await taskConfigs(definition, raw, 1, kafka)
  if (!config) return
  const clients = await loadClients(kafka)
  const context = { connectorName: CONNECTOR_NAME, taskId: 0, logger: silent, raw: config, ...clients.context }
  const parsed = parseConfigOrThrow(definition.config, config)
  const task =
    definition.kind === 'source'
      ? definition.createTask(parsed, { ...context, offsets: new OffsetStore().reader() })
      : definition.createTask(parsed, { ...context, ...NO_RUNTIME })
  try {
    await within(deadlineMs, 'start', task.start?.())
  } finally {
    await Promise.allSettled([within(deadlineMs, 'stop', task.stop?.())])
    await clients.close()
  }
}

const NO_RUNTIME = {
  errantRecordReporter: null,
  assignment: () => [],
  offset: () => {},
  timeout: () => {},
  pause: () => {},
  resume: () => {},
  requestCommit: () => {},
}
