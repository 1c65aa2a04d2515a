import {
  ConfigError,
  ConnectError,
  type ConnectorContext,
  type ConnectorMonitor,
  parseConfigOrThrow,
  type RawConfig,
  type SinkConnector,
  type SourceConnector,
} from '@millrace/sdk'
import { formatTrace } from '../host/trace.ts'
import { Interruptible } from './interruptible.ts'
import { CutOffError, type UnitEnvironment, type UnitEvents, type UnitRunner } from './unit-runner.ts'
import type { MetricSample, TargetState } from './worker.ts'

export interface ConnectorRunnerOptions {
  readonly connector: string
  readonly config: RawConfig
  readonly target: TargetState
  readonly environment: UnitEnvironment
  readonly events: UnitEvents
  readonly definition: SourceConnector | SinkConnector
  /** The names of the connector's class, Java's among them. */
  readonly classNames: readonly string[]
  readonly onReconfigure: () => void
}

const TASKS_MAX_DEFAULT = 1

/** Runs a connector instance: answers for its task configurations and keeps its monitor. */
export class ConnectorRunner implements UnitRunner {
  readonly #o: ConnectorRunnerOptions
  readonly #wait = new Interruptible()
  #monitor: ConnectorMonitor | undefined
  #target: TargetState
  /** Never rejects. Targets are applied one after another, or a monitor would be started twice. */
  #applying: Promise<void> = Promise.resolve()
  #failed = false
  #ended = false
  /** One for the life of the connector: plugins keep what they know between calls by it. */
  readonly #context: ConnectorContext

  constructor(options: ConnectorRunnerOptions) {
    this.#o = options
    this.#target = options.target
    const { connector, environment, onReconfigure } = options
    this.#context = {
      connectorName: connector,
      logger: environment.logger,
      kafka: environment.pluginClients.kafka,
      requestTaskReconfiguration: () => {
        if (!this.#ended) onReconfigure()
      },
      raiseError: (error) => this.fail(error),
    }
  }

  /** Brings the connector to its target state, after whatever is under way; a failure is told as a state. */
  run(): Promise<void> {
    this.#applying = this.#applying.then(async () => {
      try {
        if (!this.#failed && !this.#ended) await this.#applyTarget()
      } catch (error) {
        this.fail(error)
      }
    })
    return this.#applying
  }

  setTarget(target: TargetState): void {
    if (this.#target === target) return
    this.#target = target
    void this.run()
  }

  fail(error: unknown): void {
    if (this.#failed || this.#ended || error instanceof CutOffError) return
    this.#failed = true
    const trace = formatTrace(error)
    this.#o.environment.logger.error({ trace }, 'the connector failed')
    this.#o.events.onState('FAILED', { trace, version: this.#o.definition.version })
  }

  /** The split of the work, each with `task.class` and a sink's topics as Kafka's worker adds them. */
  async taskConfigs(maxTasks: number): Promise<readonly RawConfig[]> {
    const { definition, config } = this.#o
    const parsed = parseConfigOrThrow(definition.config, config) as never
    const configs = await definition.taskConfigs(parsed, maxTasks, config, this.#context)
    if (configs.length > maxTasks && config['tasks.max.enforce']?.trim().toLowerCase() !== 'false') {
      const limit = config['tasks.max'] ?? String(TASKS_MAX_DEFAULT)
      throw new ConnectError(
        `The connector ${this.#o.connector} has generated ${configs.length} tasks, which is greater than ${limit}, ` +
          'the maximum number of tasks it is configured to create. This behavior should be considered a bug and is ' +
          "disallowed. If necessary, it can be permitted by reconfiguring the connector with 'tasks.max.enforce' set to false",
      )
    }
    const { topics, 'topics.regex': regex } = config
    const added = {
      'task.class': taskClass(this.#o.classNames),
      ...(definition.kind === 'sink' && topics !== undefined ? { topics } : {}),
      ...(definition.kind === 'sink' && regex !== undefined ? { 'topics.regex': regex } : {}),
    }
    return configs.map((task, index) => checked(task, index, added))
  }

  async stop(timeoutMs: number): Promise<boolean> {
    this.#ended = true
    const { clock, logger } = this.#o.environment
    let clean = true
    const timer = clock.setTimer(timeoutMs, () => {
      clean = false
      this.#wait.interrupt(new CutOffError(`the connector did not stop within ${timeoutMs} ms`))
    })
    try {
      await this.#stopMonitor()
    } catch (error) {
      if (!(error instanceof CutOffError)) logger.error({ err: error }, 'the connector failed to stop')
    }
    timer.cancel()
    await this.#o.environment.pluginClients.close()
    return clean
  }

  samples(): readonly MetricSample[] {
    return []
  }

  async #applyTarget(): Promise<void> {
    const { definition, config, events } = this.#o
    const { version } = definition
    const target = this.#target
    // A paused connector stays started, as in Kafka: only its tasks rest.
    if (target === 'STOPPED') await this.#stopMonitor()
    else if (!this.#monitor && definition.monitor) {
      const parsed = parseConfigOrThrow(definition.config, config) as never
      const monitor = await definition.monitor(parsed, config, this.#context)
      if (this.#ended) await monitor.stop()
      else this.#monitor = monitor
    }
    if (this.#target !== target || this.#ended || this.#failed) return
    events.onState(STATES[target], { version })
  }

  async #stopMonitor(): Promise<void> {
    const monitor = this.#monitor
    this.#monitor = undefined
    const stopping = monitor?.stop()
    if (stopping) await this.#wait.wait(stopping)
  }
}

const STATES = { STARTED: 'RUNNING', PAUSED: 'PAUSED', STOPPED: 'STOPPED' } as const

/**
 * The class of a connector's tasks as Java's connectors name it: a full class name where there is one, its Connector
 * made a Task.
 */
export function taskClass(classNames: readonly string[]): string {
  const full = classNames.find((name) => name.includes('.') && name.endsWith('Connector')) ?? classNames[0] ?? ''
  return full.endsWith('Connector') ? `${full.slice(0, -'Connector'.length)}Task` : `${full}Task`
}

function checked(task: RawConfig, index: number, added: RawConfig): RawConfig {
  for (const [key, value] of Object.entries(task)) {
    if (typeof value === 'string') continue
    throw new ConfigError(`Task configuration ${index}: the value of ${key} must be text, not ${typeof value}`, { key })
  }
  return { ...task, ...added }
}
