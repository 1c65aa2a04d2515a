import { ConfigError, type PluginKind, type PluginManifest, parseConfigOrThrow, type RawConfig } from '@millrace/sdk'
import { type Clock, type Disk, type Logger, sleep } from '../../base/index.ts'
import { distributedWorkerConfig } from '../config/worker-config.ts'
import { spawnHost, type SpawnHost } from '../host/host-process.ts'
import type { HostLogLine, WorkerMethods } from '../host/host-protocol.ts'
import { Redaction, redactedLogger } from '../host/redaction.ts'
import { RemoteError } from '../host/remote-error.ts'
import type { Handlers } from '../host/rpc.ts'
import { loadCatalogue } from '../plugins/catalogue.ts'
import type { PackagePlugin } from '../plugins/package-scan.ts'
import { PackageWatch } from '../plugins/package-watch.ts'
import { pluginReferences } from '../plugins/plugin-references.ts'
import { conflictText, type Plugin, PluginRegistry } from '../plugins/plugin-registry.ts'
import type { ConfigInfos, ConfigKeyInfo } from '../config/config-infos.ts'
import {
  type ConfigProviders,
  createConfigProviders,
  type Resolution,
  withoutValues,
  withVariables,
} from '../config/config-providers.ts'
import type { OffsetStore } from '../stores/offset-store.ts'
import { HostPool, type Lane, type PooledHost } from './host-pool.ts'
import { restartPolicyOf, shutdownTimeoutOf } from './runtime-config.ts'
import { Supervisor } from './supervisor.ts'
import { taskHostConfig } from './task-host-config.ts'
import { connectorKey, taskKey, Unit } from './unit.ts'
import type { FindPlugin } from './plugin-metrics.ts'
import { WorkerMetrics } from './worker-metrics.ts'
import type { PluginInfo, RunState, StateDetail, TargetState, TaskId, Worker, WorkerListener } from './worker.ts'

export interface WorkerOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** To look for plugins in `plugin.path`. */
  readonly disk: Disk
  readonly workerId: string
  /** The worker's properties under Kafka's names, as text. */
  readonly properties: RawConfig
  /** The URL of a module that exports `manifests`: the connectors and transformations built in. Task hosts import it too. */
  readonly catalogue: string
  readonly offsets: OffsetStore
  /** The topic that source tasks write their offsets to themselves; null when all goes through `offsets`. */
  readonly offsetsTopic: string | null
  readonly listener: WorkerListener
  /** How many hosts share built-in tasks when task.host.count is 0: the number of processor cores. */
  readonly cores: number
  /** Resolve `${provider:key}` in a configuration before plugins see it. */
  readonly configProviders?: ConfigProviders
  /** Values of the properties that came from config providers. */
  readonly secrets?: readonly string[]
  /** How hosts are started; tests replace it. */
  readonly spawn?: SpawnHost
}

/** What a unit was given, and what became of it; null where nothing had to be resolved. */
interface Written {
  readonly rawConnector: RawConfig
  readonly raw: RawConfig
  readonly resolution: Resolution | null
}

/** The rest of the session is for stopping. */
const LEASE_OF_SESSION = 0.8

/** Calls into plugins that answer a request: validation, configuration keys, task configurations. */
const PLUGIN_CALL_TIMEOUT_MS = 60_000
const CONNECTOR_START_TIMEOUT_MS = 30_000
const HOST_STOP_TIMEOUT_MS = 1000

/** Makes a worker; `start` finds the plugins and has to come first. */
export function createWorker(options: WorkerOptions): Worker {
  return new HostedWorker(options)
}

function packageId(plugin: { readonly package: string | null; readonly packageVersion: string | null }): string {
  return `${plugin.package}@${plugin.packageVersion}`
}

function infoOf({ manifest: { name, kind, version, aliases } }: Plugin): PluginInfo {
  return { class: name, type: kind, version, aliases }
}

class HostedWorker implements Worker {
  readonly #o: WorkerOptions
  readonly #builtin: Lane
  /** Answers questions, so that they never wait behind tasks; it goes when nobody asks for a while. */
  readonly #utility: Lane = { name: 'utility', maxHosts: 1 }
  readonly #lanes = new Map<string, Lane>()
  readonly #maxHosts: number
  readonly #stopTimeoutMs: number
  readonly #metrics: WorkerMetrics
  #registry = new PluginRegistry([], [])
  readonly #packages: PackageWatch
  #catalogue: readonly PluginManifest[] = []
  #pool!: HostPool
  #supervisor!: Supervisor
  /** Before that there is neither pool nor supervisor. */
  #isStarted = false
  #plugins: ReadonlyMap<Plugin, PluginInfo> = new Map()
  readonly #providers: ConfigProviders
  /** Invariant 10: what config providers answered is known here before any plugin gets it. */
  readonly #redaction = new Redaction()
  readonly #logger: Logger
  #questions = 0
  /** What units were given, with their variables. */
  readonly #written = new Map<string, Written>()

  constructor(options: WorkerOptions) {
    this.#o = options
    this.#providers = options.configProviders ?? createConfigProviders({}, { disk: options.disk, environment: {} })
    this.#logger = redactedLogger(options.logger, this.#redaction)
    this.#redaction.set('worker', options.secrets ?? [])
    this.#packages = new PackageWatch(options.properties['plugin.path'] ?? '', options.disk, this.#logger)
    const hosts = parseConfigOrThrow(taskHostConfig, options.properties)
    this.#maxHosts = hosts['task.host.count'] === 0 ? Math.max(1, options.cores) : hosts['task.host.count']
    this.#builtin = { name: 'builtin', maxHosts: this.#maxHosts }
    this.#stopTimeoutMs = shutdownTimeoutOf(options.properties)
    this.#metrics = new WorkerMetrics()
  }

  async start(): Promise<void> {
    const { catalogue, properties, clock, workerId, offsetsTopic, secrets = [], spawn = spawnHost } = this.#o
    const logger = this.#logger
    this.#catalogue = await loadCatalogue(catalogue)
    const packages = this.#packages.changed() ?? []
    this.#use(packages)
    const hosts = parseConfigOrThrow(taskHostConfig, properties)
    this.#pool = new HostPool({
      clock,
      logger,
      spawn,
      setup: {
        workerId,
        workerConfig: properties,
        catalogue,
        packages,
        offsetsTopic,
        secrets,
        leaseMs: this.#leaseMs(),
      },
      stallTimeoutMs: hosts['task.host.stall.timeout.ms'],
      memoryLimitMb: hosts['task.host.memory.max.mb'],
      handlersFor: (host) => this.#handlers(host),
      onGone: (host, reason) => this.#supervisor.onHostGone(host, reason),
    })
    this.#supervisor = new Supervisor({
      clock,
      logger,
      pool: this.#pool,
      onState: (unit, state, detail) => this.#onState(unit, state, detail),
      renew: (unit) => this.#renew(unit),
    })
    this.#pool.start()
    this.#isStarted = true
  }

  /** What runs, or shall run; metrics are asked for from the first moment, and a start that fails is followed by a stop. */
  #units(): readonly Unit[] {
    return this.#isStarted ? this.#supervisor.all() : []
  }

  get plugins(): readonly PluginInfo[] {
    this.#lookForPackages()
    return [...this.#plugins.values()]
  }

  findPlugin(className: string, kind?: PluginKind, range?: string): PluginInfo | undefined {
    const find = () => this.#registry.find(className, kind === undefined ? undefined : [kind], range)
    let found = find()
    if (!found) {
      this.#lookForPackages()
      found = find()
    }
    return found && this.#plugins.get(found)
  }

  /** Takes what was added to `plugin.path`, or removed from it, since the last look. */
  #lookForPackages(): void {
    if (!this.#isStarted) return
    const packages = this.#packages.changed()
    if (!packages) return
    this.#use(packages)
    this.#pool.setPackages(packages)
    this.#logger.info({ packages: [...new Set(packages.map(packageId))] }, 'the plugin packages have changed')
  }

  #use(packages: readonly PackagePlugin[]): void {
    this.#registry = new PluginRegistry(this.#catalogue, packages)
    this.#plugins = new Map(this.#registry.list().map((plugin) => [plugin, infoOf(plugin)]))
    for (const conflict of this.#registry.conflicts) this.#packages.warn(conflict.package, conflictText(conflict))
  }

  async validate(config: RawConfig): Promise<ConfigInfos> {
    this.#lookForPackages()
    const resolution = this.#providers.resolve(config)
    const secrets = [...resolution.secrets.keys()]
    const ticket = `validation:${++this.#questions}`
    this.#redaction.set(ticket, secrets)
    try {
      const what = `the validation of ${config['name'] ?? 'a connector'}`
      const infos = await this.#ask(this.#laneOf(resolution.config, this.#utility), what, (host) =>
        host.process.rpc.call('validate', { config: resolution.config, secrets }),
      )
      return withoutValues(infos, config, resolution, this.#redaction)
    } catch (error) {
      throw this.#redaction.error(error)
    } finally {
      this.#redaction.set(ticket, [])
    }
  }

  async pluginConfig(className: string, version = ''): Promise<readonly ConfigKeyInfo[]> {
    this.#lookForPackages()
    const found = this.#registry.find(className, undefined, version)
    if (!found) throw new ConfigError(`Unknown plugin ${className}.`)
    const lane = found.package === null ? this.#utility : this.#lane([packageId(found)])
    return this.#ask(lane, `the configuration keys of ${className}`, (host) =>
      host.process.rpc.call('pluginConfig', { className, version }),
    )
  }

  async startConnector(connector: string, config: RawConfig, target: TargetState): Promise<void> {
    this.#metrics.startup('connector')
    const unit = await this.#unit({ connector, task: null }, config, config, target)
    if (unit.state !== 'FAILED') {
      const starting = this.#supervisor.add(unit)
      try {
        await this.#within(CONNECTOR_START_TIMEOUT_MS, `connector ${connector} to start`, starting)
      } catch (error) {
        this.#supervisor.fail(unit, error)
      }
    }
    if (unit.state === 'FAILED') {
      throw new ConfigError(this.#redaction.text(`Connector ${connector} failed to start: ${unit.trace}`))
    }
  }

  async stopConnector(connector: string): Promise<void> {
    const unit = this.#supervisor.get(connectorKey(connector))
    if (unit) await this.#remove(unit)
  }

  async setConnectorTarget(connector: string, target: TargetState): Promise<void> {
    const unit = this.#supervisor.get(connectorKey(connector))
    if (!unit) throw new ConfigError(`Connector ${connector} does not run on this worker`)
    await this.#supervisor.setTarget(unit, target)
  }

  async taskConfigs(connector: string, maxTasks: number): Promise<readonly RawConfig[]> {
    const unit = this.#supervisor.get(connectorKey(connector))
    if (!unit?.host || unit.state === 'FAILED')
      throw new ConfigError(`Connector ${connector} does not run on this worker`)
    const { raw, resolution } = this.#written.get(unit.key) ?? { raw: unit.config, resolution: null }
    // The limit itself may be a variable, which only this side can read.
    const limit = resolution && raw['tasks.max'] !== undefined ? Number(resolution.config['tasks.max']) : maxTasks
    const calling = unit.host.process.rpc.call('taskConfigs', { unit: unit.key, maxTasks: limit })
    try {
      const made = await this.#within(PLUGIN_CALL_TIMEOUT_MS, `the task configurations of ${connector}`, calling)
      return resolution ? made.map((config) => withVariables(config, raw, resolution)) : made
    } catch (error) {
      throw this.#redaction.error(error)
    }
  }

  async startTask(id: TaskId, connectorConfig: RawConfig, taskConfig: RawConfig, target: TargetState): Promise<void> {
    this.#metrics.startup('task')
    const unit = await this.#unit(id, connectorConfig, taskConfig, target)
    if (unit.state === 'FAILED') return
    await this.#supervisor.add(unit)
  }

  async stopTasks(ids: readonly TaskId[]): Promise<void> {
    const units = ids.map((id) => this.#supervisor.get(taskKey(id))).filter((unit) => unit !== undefined)
    await Promise.all(units.map((unit) => this.#remove(unit)))
  }

  async setTaskTarget(ids: readonly TaskId[], target: TargetState): Promise<void> {
    const units = ids.map((id) => this.#supervisor.get(taskKey(id))).filter((unit) => unit !== undefined)
    await Promise.all(units.map((unit) => this.#supervisor.setTarget(unit, target)))
  }

  running(): { readonly connectors: readonly string[]; readonly tasks: readonly TaskId[] } {
    const units = this.#units()
    return {
      connectors: units.filter((unit) => unit.task === null).map((unit) => unit.connector),
      tasks: units.filter((unit) => unit.task !== null).map((unit) => unit.id),
    }
  }

  metrics() {
    const find: FindPlugin = (className, kind, range) => this.findPlugin(className, kind, range)
    return this.#metrics.samples(this.#units(), this.#o.properties, find)
  }

  async stop(): Promise<void> {
    if (!this.#isStarted) return
    const units = this.#units()
    // Tasks first: they may still want offsets and configurations of their connector.
    for (const part of [units.filter((unit) => unit.task !== null), units.filter((unit) => unit.task === null)]) {
      await Promise.all(part.map((unit) => this.#remove(unit)))
    }
    await this.#pool.stop(HOST_STOP_TIMEOUT_MS)
  }

  /** A unit with its configuration resolved; one that cannot be made is told as FAILED. */
  async #unit(
    id: TaskId | { readonly connector: string; readonly task: null },
    connectorConfig: RawConfig,
    config: RawConfig,
    target: TargetState,
  ): Promise<Unit> {
    this.#lookForPackages()
    const never = restartPolicyOf({ 'restart.policy': 'never' })
    const home = this.#laneOf(this.#providers.resolve(connectorConfig).config, this.#builtin)
    const unit = new Unit({ id, connectorConfig, config, target, policy: never, home })
    this.#written.set(unit.key, { rawConnector: connectorConfig, raw: config, resolution: null })
    try {
      this.#renew(unit)
      unit.policy = restartPolicyOf(unit.connectorConfig)
    } catch (error) {
      this.#supervisor.refuse(unit, error)
    }
    return unit
  }

  /** Reads what variables stand for; values may have changed since the last start. */
  #renew(unit: Unit): void {
    const written = this.#written.get(unit.key)
    if (!written) return
    const connector = this.#providers.resolve(written.rawConnector)
    const own = written.raw === written.rawConnector ? connector : this.#providers.resolve(written.raw)
    const issues = [...connector.issues, ...own.issues]
    if (issues.length > 0) throw new ConfigError([...new Set(issues.map(({ message }) => message))].join('\n'))
    const resolution = own.config === written.raw ? null : own
    this.#written.set(unit.key, { ...written, resolution })
    unit.secrets = [...connector.secrets.keys(), ...own.secrets.keys()]
    unit.connectorConfig = connector.config
    unit.config = own.config
    this.#redaction.set(unit.key, unit.secrets)
  }

  async #remove(unit: Unit): Promise<void> {
    await this.#supervisor.remove(unit, this.#stopTimeoutMs)
    this.#written.delete(unit.key)
    this.#redaction.set(unit.key, [])
  }

  /** Third-party plugins run in hosts of their package, together with whatever else the connector uses. */
  #laneOf(config: RawConfig, builtin: Lane): Lane {
    const packages = new Set<string>()
    for (const { className, range } of pluginReferences(config)) {
      const plugin = this.#registry.find(className, undefined, range)
      if (plugin && plugin.package !== null) packages.add(packageId(plugin))
    }
    return packages.size === 0 ? builtin : this.#lane([...packages])
  }

  #lane(packages: readonly string[]): Lane {
    const name = `package:${packages.toSorted().join('+')}`
    let lane = this.#lanes.get(name)
    if (!lane) {
      lane = { name, maxHosts: this.#maxHosts }
      this.#lanes.set(name, lane)
    }
    return lane
  }

  /** A question to plugin code outside of any unit. */
  async #ask<T>(lane: Lane, what: string, call: (host: PooledHost) => Promise<T>): Promise<T> {
    const host = this.#pool.acquire(lane, 'question')
    // The host is busy for as long as the question is open, or it would be dismissed under it.
    const ticket = `question:${this.#o.clock.monotonicMs()}:${what}`
    host.units.set(ticket, 'question')
    try {
      return await this.#within(
        PLUGIN_CALL_TIMEOUT_MS,
        what,
        host.ready.then(() => call(host)),
      )
    } catch (error) {
      if (!host.end) throw error
      throw new ConfigError(`${what} failed: ${host.end.text}`)
    } finally {
      host.units.delete(ticket)
      this.#pool.release(host)
    }
  }

  /** Hosts of a frozen worker are silent before its session ends; a worker without a group has nobody to give way to. */
  #leaseMs(): number | null {
    const { offsetsTopic, properties } = this.#o
    if (offsetsTopic === null) return null
    const value = (key: 'session.timeout.ms' | 'heartbeat.interval.ms') =>
      Number(properties[key] ?? distributedWorkerConfig[key].default)
    const session = value('session.timeout.ms')
    // The session counts from the last heartbeat, which may be one interval older than the last sign to a host.
    return Math.max(session * LEASE_OF_SESSION - value('heartbeat.interval.ms'), session / 2)
  }

  async #within<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
    const done = new AbortController()
    work.catch(() => {})
    const expired = sleep(this.#o.clock, timeoutMs, done.signal).then(() => {
      throw new ConfigError(`Waited ${timeoutMs} ms for ${what}`)
    })
    expired.catch(() => {})
    try {
      return await Promise.race([work, expired])
    } catch (error) {
      if (error instanceof RemoteError && error.code === 'CONFIG') {
        throw new ConfigError(error.message, error.key === undefined ? {} : { key: error.key })
      }
      throw error
    } finally {
      done.abort()
    }
  }

  #handlers(hostOf: () => PooledHost): Handlers<WorkerMethods> {
    const { offsets, listener, clock } = this.#o
    const sign = () => {
      const host = hostOf()
      host.lastSignMs = clock.monotonicMs()
      return host
    }
    return {
      ready: () => void sign(),
      beat: ({ metrics }) => {
        sign()
        for (const [key, samples] of metrics ?? []) {
          const unit = this.#supervisor.get(key)
          if (unit) unit.metrics = samples
        }
      },
      log: (line) => this.#log(line),
      unitState: (event) => this.#supervisor.onUnitState(sign(), event),
      topicUsed: ({ unit: key, topic }) => {
        const unit = this.#supervisor.get(key)
        if (unit?.wanted && unit.task !== null) listener.onTopicUsed(unit.id, topic)
      },
      reconfigure: ({ connector }) => {
        if (this.#supervisor.get(connectorKey(connector))?.wanted) listener.onTaskReconfigurationRequested(connector)
      },
      condemned: (error) => {
        const text = `code that nobody knows whose it is threw in a task host: ${error.trace}`
        this.#pool.kill(sign(), { kind: 'condemned', text, culprit: null })
      },
      offsetsGet: async ({ keys }) => offsets.get(keys.map((key) => Buffer.from(key))),
      offsetsSet: ({ entries }) =>
        offsets.set(
          entries.map(({ key, value }) => ({
            key: Buffer.from(key),
            value: value === null ? null : Buffer.from(value),
          })),
        ),
    }
  }

  #log({ level, fields, message }: HostLogLine): void {
    this.#logger[level](fields, message)
  }

  #onState(unit: Unit, state: RunState, told: StateDetail): void {
    const { listener } = this.#o
    const detail = this.#redaction.data(told)
    this.#metrics.state(unit, state)
    if (unit.task === null) {
      listener.onConnectorState(unit.connector, state, detail)
      // Whoever started it has given up on its task configurations when it failed.
      if (state === 'RUNNING' && detail.restart) listener.onTaskReconfigurationRequested(unit.connector)
    } else listener.onTaskState(unit.id, state, detail)
  }
}
