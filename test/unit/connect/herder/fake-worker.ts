import type { RawConfig } from '@millrace/sdk'
import type { ConfigInfos, ConfigKeyInfo } from '../../../../src/connect/config/config-infos.ts'
import type {
  MetricSample,
  PluginInfo,
  TargetState,
  TaskId,
  Worker,
  WorkerListener,
} from '../../../../src/connect/worker/worker.ts'

const plugins: readonly PluginInfo[] = [
  { class: 'FakeSink', type: 'sink', version: '1', aliases: ['org.example.FakeSinkConnector'] },
  { class: 'FakeSource', type: 'source', version: '1', aliases: [] },
  { class: 'FakeSmt', type: 'transformation', version: '2', aliases: [] },
]

function definition(name: string, type: ConfigKeyInfo['type'], required: boolean): ConfigKeyInfo {
  return {
    name,
    type,
    required,
    default_value: null,
    importance: 'HIGH',
    documentation: '',
    group: null,
    order_in_group: -1,
    width: 'NONE',
    display_name: name,
    dependents: [],
  }
}

const definitions: readonly ConfigKeyInfo[] = [
  definition('topic', 'STRING', true),
  definition('login', 'PASSWORD', false),
]

/** A scripted worker: it runs nothing, reports what it is told and keeps a journal of the calls. */
export class FakeWorker implements Worker {
  readonly plugins = plugins
  readonly journal: string[] = []
  readonly connectors = new Map<string, TargetState>()
  readonly tasks = new Map<string, TargetState>()
  /** Set to hold a stop of tasks up until it resolves. */
  stopGate: Promise<void> = Promise.resolve()
  failTaskConfigs = 0
  failTasks = new Set<string>()
  private readonly listener: WorkerListener

  constructor(listener: WorkerListener) {
    this.listener = listener
  }

  findPlugin(className: string): PluginInfo | undefined {
    return plugins.find((plugin) => plugin.class === className || plugin.aliases.includes(className))
  }

  async start(): Promise<void> {}

  async validate(config: RawConfig): Promise<ConfigInfos> {
    const configs = definitions.map((info) => ({
      definition: info,
      value: {
        name: info.name,
        value: config[info.name] ?? null,
        recommended_values: [],
        errors:
          info.required && config[info.name] === undefined
            ? [`Missing required configuration "${info.name}" which has no default value.`]
            : [],
        visible: true,
      },
    }))
    const errors = configs.flatMap((entry) => entry.value.errors)
    return { name: config['connector.class'] ?? '', error_count: errors.length, groups: [], configs }
  }

  async pluginConfig(): Promise<readonly ConfigKeyInfo[]> {
    return definitions
  }

  async startConnector(connector: string, config: RawConfig, target: TargetState): Promise<void> {
    this.journal.push(`start ${connector} ${target}`)
    if (config.fail !== undefined) {
      this.listener.onConnectorState(connector, 'FAILED', { trace: `cannot log in with ${config.login ?? ''}` })
      throw new Error('failed')
    }
    this.connectors.set(connector, target)
    this.reportConnector(connector, target)
  }

  private reportConnector(connector: string, target: TargetState): void {
    const state = target === 'STARTED' ? 'RUNNING' : target
    this.listener.onConnectorState(connector, state, { version: '1' })
  }

  async stopConnector(connector: string): Promise<void> {
    this.journal.push(`stop ${connector}`)
    this.connectors.delete(connector)
  }

  async setConnectorTarget(connector: string, target: TargetState): Promise<void> {
    this.journal.push(`target ${connector} ${target}`)
    this.connectors.set(connector, target)
    this.reportConnector(connector, target)
  }

  async taskConfigs(connector: string, maxTasks: number): Promise<readonly RawConfig[]> {
    this.journal.push(`configs ${connector} ${maxTasks}`)
    if (this.failTaskConfigs > 0) {
      this.failTaskConfigs--
      throw new Error('the database is away')
    }
    return Array.from({ length: maxTasks }, (_, i) => ({ 'task.class': 'FakeTask', number: String(i) }))
  }

  async startTask(id: TaskId, _connector: RawConfig, config: RawConfig, target: TargetState): Promise<void> {
    const key = `${id.connector}-${id.task}`
    this.journal.push(`start ${key} ${config.number} ${target}`)
    this.tasks.set(key, target)
    if (this.failTasks.has(key)) this.listener.onTaskState(id, 'FAILED', { trace: 'boom' })
    else this.listener.onTaskState(id, target === 'STARTED' ? 'RUNNING' : 'PAUSED', { version: '1' })
  }

  async stopTasks(ids: readonly TaskId[]): Promise<void> {
    await this.stopGate
    for (const id of ids) {
      this.journal.push(`stop ${id.connector}-${id.task}`)
      this.tasks.delete(`${id.connector}-${id.task}`)
    }
  }

  async setTaskTarget(ids: readonly TaskId[], target: TargetState): Promise<void> {
    for (const id of ids) {
      const key = `${id.connector}-${id.task}`
      this.journal.push(`target ${key} ${target}`)
      this.tasks.set(key, target)
      this.listener.onTaskState(id, target === 'STARTED' ? 'RUNNING' : 'PAUSED', { version: '1' })
    }
  }

  useTopic(id: TaskId, topic: string): void {
    this.listener.onTopicUsed(id, topic)
  }

  running() {
    return { connectors: [...this.connectors.keys()], tasks: [] }
  }

  metrics(): readonly MetricSample[] {
    const labels = { connector: 'src', task: '0' }
    return [
      { group: 'connector-task-metrics', name: 'status', labels: { ...labels, status: 'RUNNING' }, value: 1 },
      { group: 'source-task-metrics', name: 'source-record-write-total', labels, value: 12 },
    ]
  }

  async stop(): Promise<void> {
    this.journal.push('stop worker')
  }
}
