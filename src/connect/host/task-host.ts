import type { PluginManifest, RawConfig } from '@millrace/sdk'
import type { Clock, Logger, Random } from '../../base/index.ts'
import { loadCatalogue } from '../plugins/catalogue.ts'
import type { PackagePlugin } from '../plugins/package-scan.ts'
import { PluginRegistry } from '../plugins/plugin-registry.ts'
import type { UnitEnvironment, UnitEvents, UnitRunner } from '../worker/unit-runner.ts'
import { currentUnit, runAs } from './blame.ts'
import type { ConnectorStart, HostMethods, HostSetup, TaskStart, UnitKey, WorkerMethods } from './host-protocol.ts'
import { type Redaction, secretValues } from './redaction.ts'
import { shareOwnSdk } from './own-sdk.ts'
import { describeError } from './remote-error.ts'
import type { Handlers, RpcPeer } from './rpc.ts'

export interface TaskHostOptions {
  readonly clock: Clock
  readonly random: Random
  readonly worker: RpcPeer<HostMethods, WorkerMethods>
  readonly yieldLoop: () => Promise<void>
  readonly redaction: Redaction
  readonly loggerFor: (context: Record<string, unknown>) => Logger
}

/**
 * Runs units (connector instances and tasks) for a worker. The modules of runners and clients are imported when the
 * first unit needs them, so that an idle host stays light.
 */
export class TaskHost {
  readonly #o: TaskHostOptions
  readonly #units = new Map<UnitKey, UnitRunner>()
  /** Units whose modules are being imported; the promises never reject. */
  readonly #starting = new Map<UnitKey, Promise<void>>()
  #setup: HostSetup | undefined
  #catalogue: Promise<readonly PluginManifest[]> | undefined
  #registry: PluginRegistry | undefined
  #validations = 0
  /** When the worker last showed that its main loop turns. */
  #heardMs = 0

  constructor(options: TaskHostOptions) {
    this.#o = options
  }

  readonly handlers: Handlers<HostMethods> = {
    setup: (setup) => this.#start(setup),
    plugins: ({ packages }) => this.#use(packages),
    validate: ({ config, secrets }) => this.#validate(config, secrets),
    pluginConfig: ({ className, version }) => this.#pluginConfig(className, version),
    startConnector: async (start) => {
      const runner = await this.#open(start.unit, () => this.#connectorRunner(start))
      await runAs(start.unit, () => runner.run())
    },
    taskConfigs: async ({ unit, maxTasks }) => {
      const runner = this.#units.get(unit) as UnitRunner & {
        taskConfigs?: (max: number) => Promise<readonly RawConfig[]>
      }
      if (!runner?.taskConfigs) throw new Error(`${unit} does not run here`)
      return runAs(unit, () => runner.taskConfigs!(maxTasks))
    },
    startTask: async (start) => {
      const runner = await this.#open(start.unit, () => this.#taskRunner(start))
      // The task runs beside the call: what becomes of it is told as states.
      void runAs(start.unit, () => runner.run())
    },
    setTarget: async ({ unit, target }) => {
      await this.#starting.get(unit)
      this.#units.get(unit)?.setTarget(target)
    },
    stopUnit: async ({ unit, timeoutMs }) => {
      // Invariant 4: a unit that is still being started would otherwise start after it was stopped.
      await this.#starting.get(unit)
      const runner = this.#units.get(unit)
      if (!runner) return { clean: true }
      const clean = await runAs(unit, () => runner.stop(timeoutMs))
      this.#units.delete(unit)
      this.#o.redaction.set(unit, [])
      return { clean }
    },
  }

  /** Stops everything at once, for a host whose worker is gone. */
  async abandon(timeoutMs: number): Promise<void> {
    await Promise.all([...this.#units].map(([unit, runner]) => runAs(unit, () => runner.stop(timeoutMs))))
  }

  /** Tells the worker that the main loop turns, and now and then what the units count. */
  beat(withMetrics: boolean): void {
    const metrics = withMetrics ? [...this.#units].map(([unit, runner]) => [unit, runner.samples()] as const) : null
    this.#o.worker.call('beat', { metrics }).then(
      () => {
        this.#heardMs = this.#o.clock.monotonicMs()
      },
      // The channel has closed, which ends this process.
      () => {},
    )
  }

  /**
   * Invariant 4: whether the worker has been silent so long (frozen, not gone: then the channel would close) that the
   * group may give its tasks to others.
   */
  get isLeaseOver(): boolean {
    const leaseMs = this.#setup?.leaseMs ?? null
    return leaseMs !== null && this.#o.clock.monotonicMs() - this.#heardMs > leaseMs
  }

  /** An exception that nobody caught: the unit on whose behalf the code ran fails; without one the host is not trusted any more. */
  onUncaught(error: unknown): void {
    const unit = currentUnit() ?? (this.#units.size === 1 ? [...this.#units.keys()][0] : undefined)
    const runner = unit === undefined ? undefined : this.#units.get(unit)
    if (runner) runAs(unit!, () => runner.fail(error))
    // A unit that has just stopped may leave a rejection behind; its clients are closed, so that is only worth a line.
    else if (unit !== undefined) this.#o.loggerFor({ unit }).warn({ err: error }, 'a stopped unit threw')
    else this.#o.worker.tell('condemned', describeError(error))
  }

  async #start(setup: HostSetup): Promise<void> {
    this.#setup = setup
    this.#heardMs = this.#o.clock.monotonicMs()
    this.#o.redaction.set('worker', setup.secrets)
    this.#catalogue = loadCatalogue(setup.catalogue)
    await this.#use(setup.packages)
  }

  /** Takes the packages that there are now; modules that were imported before are not imported again. */
  async #use(packages: readonly PackagePlugin[]): Promise<void> {
    if (packages.length > 0) shareOwnSdk()
    // Calls wait for the same promise, so that the last one to come is the last to be served.
    this.#registry = new PluginRegistry((await this.#catalogue) ?? [], packages)
  }

  get #ready(): { readonly setup: HostSetup; readonly registry: PluginRegistry } {
    if (!this.#setup || !this.#registry) throw new Error('the host was not set up')
    return { setup: this.#setup, registry: this.#registry }
  }

  async #validate(config: RawConfig, secrets: readonly string[]): Promise<HostMethods['validate']['result']> {
    const { setup, registry } = this.#ready
    const { validateIn } = await import('./validation.ts')
    const ticket = `validation:${++this.#validations}`
    this.#o.redaction.set(ticket, secrets)
    try {
      return await runAs(`validate:${config['name'] ?? ''}`, () => validateIn(registry, config, setup.workerConfig))
    } finally {
      this.#o.redaction.set(ticket, [])
    }
  }

  async #pluginConfig(className: string, version: string): Promise<HostMethods['pluginConfig']['result']> {
    const { pluginConfigIn } = await import('./validation.ts')
    return pluginConfigIn(this.#ready.registry, className, version)
  }

  async #environment(logger: Logger): Promise<UnitEnvironment> {
    const { setup, registry } = this.#ready
    const { clock, random, worker, yieldLoop } = this.#o
    const [{ createKafkaClients }, { createPluginClients }, { realNet }] = await Promise.all([
      import('../worker/kafka-clients.ts'),
      import('../worker/plugin-clients.ts'),
      import('../../base/real/index.ts'),
    ])
    const clientEnvironment = { clock, random, logger, net: realNet }
    return {
      clock,
      random,
      logger,
      registry,
      clients: createKafkaClients(clientEnvironment),
      pluginClients: createPluginClients(setup.workerConfig, clientEnvironment),
      workerConfig: setup.workerConfig,
      offsets: {
        get: (keys) => worker.call('offsetsGet', { keys }),
        set: (entries) => worker.call('offsetsSet', { entries }),
      },
      offsetsTopic: setup.offsetsTopic,
      yieldLoop,
    }
  }

  #events(unit: UnitKey): UnitEvents {
    const { worker, redaction } = this.#o
    return {
      onState: (state, detail) => {
        // The last numbers of a unit that has ended come with its end.
        if (state === 'FAILED' || state === 'STOPPED') this.beat(true)
        worker.tell('unitState', { unit, state, detail: redaction.data(detail) })
      },
      onTopicUsed: (topic) => worker.tell('topicUsed', { unit, topic }),
    }
  }

  /** Makes a unit's runner and keeps it; what the plugin does begins with the runner's `run`. */
  async #open(unit: UnitKey, create: () => Promise<UnitRunner>): Promise<UnitRunner> {
    if (this.#units.has(unit) || this.#starting.has(unit)) throw new Error(`${unit} runs here already`)
    const creating = runAs(unit, create).then((runner) => {
      this.#units.set(unit, runner)
      return runner
    })
    this.#starting.set(
      unit,
      creating.then(
        () => {},
        () => {},
      ),
    )
    try {
      return await creating
    } finally {
      this.#starting.delete(unit)
    }
  }

  async #connectorRunner({ unit, connector, config, target, secrets }: ConnectorStart): Promise<UnitRunner> {
    const { registry } = this.#ready
    const className = config['connector.class'] ?? ''
    const version = config['connector.plugin.version']
    const [{ ConnectorRunner }, definition] = await Promise.all([
      import('../worker/connector-runner.ts'),
      registry.load(className, ['source', 'sink'], version),
    ])
    this.#o.redaction.set(unit, [...secretValues(config, definition.config), ...secrets])
    const aliases = registry.find(className, ['source', 'sink'], version)?.manifest.aliases ?? []
    return new ConnectorRunner({
      connector,
      config,
      target,
      environment: await this.#environment(this.#o.loggerFor({ connector })),
      events: this.#events(unit),
      definition,
      classNames: [definition.name, ...(definition.aliases ?? []), ...aliases],
      onReconfigure: () => this.#o.worker.tell('reconfigure', { connector }),
    })
  }

  async #taskRunner({ unit, id, connectorConfig, taskConfig, target, secrets }: TaskStart): Promise<UnitRunner> {
    const { registry } = this.#ready
    const environment = await this.#environment(this.#o.loggerFor({ connector: id.connector, task: id.task }))
    const { 'connector.class': className = '', 'connector.plugin.version': version } = connectorConfig
    const definition = await registry.load(className, ['source', 'sink'], version)
    const setup = {
      id,
      connectorConfig: { ...definition.defaults, ...connectorConfig },
      taskConfig,
      target,
      environment,
      events: this.#events(unit),
    }
    const own = secretValues({ ...connectorConfig, ...taskConfig }, definition.config)
    this.#o.redaction.set(unit, [...own, ...secrets])
    return definition.kind === 'source'
      ? (await import('../worker/open-source-task.ts')).createSourceTaskRunner(setup, definition)
      : (await import('../worker/open-sink-task.ts')).createSinkTaskRunner(setup, definition)
  }
}
