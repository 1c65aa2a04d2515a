import { HIDDEN, type RawConfig } from '@millrace/sdk'
import type { Clock, Logger, Random } from '../../base/index.ts'
import type { ConfigInfos, ConfigKeyInfo } from '../config/config-infos.ts'
import { type Labels, noLabels } from '../config/worker-labels.ts'
import { noVersionInRange, versionInRange } from '../config/plugin-version.ts'
import { createConfigStore, type ConfigStore } from '../stores/config-store.ts'
import type { CompactedLog } from '../stores/compacted-log.ts'
import { createStatusStore, type StatusStore } from '../stores/status-store.ts'
import type {
  MetricSample,
  RunState,
  StateDetail,
  TargetState,
  TaskId,
  Worker,
  WorkerListener,
} from '../worker/worker.ts'
import {
  connectorRecord,
  deletionRecords,
  loggerRecord,
  restartRecord,
  targetStateRecord,
  taskRecords,
} from './config-records.ts'
import { type ConfigChange, type ConfigState, sameConfig } from './config-state.ts'
import { HerderError, RequestTargetError } from './errors.ts'
import {
  type ConnectorInfo,
  type ConnectorStateInfo,
  type ConnectorType,
  type CreatedConnector,
  type Herder,
  type HealthStatus,
  type InternalRequest,
  type LoggerLevel,
  type PluginSummary,
  pluginTypes,
  type TaskInfo,
  type TaskState,
} from './herder.ts'
import { herderMetrics } from './herder-metrics.ts'
import type { HttpClient } from './http-client.ts'
import { Leader, NO_URL } from './leader.ts'
import { effectiveLevel, isLogger, type LogLevels, requireLevel, requireLogger } from './log-levels.ts'
import type { Assignment, Membership } from './membership.ts'
import { OneByOne } from './one-by-one.ts'
import { maskInfos, restoreHidden, scrub, Secrets } from './secrets.ts'
import { type SessionKeySettings, signatureHeaders, verifySignature } from './session-keys.ts'
import { TaskConfigPublisher } from './task-config-publisher.ts'
import { requireValid, withHerderChecks, withName } from './validation.ts'
import { planRestart, requireConfig, taskIds, viewRestart, viewStatus, viewTaskStatus } from './views.ts'
import { within } from './within.ts'
import { WorkRunner } from './work-runner.ts'
import { parseTaskKey, taskKey, type WorkKind } from './work.ts'

export interface HerderOptions {
  readonly workerId: string
  /** Where other workers reach this one; ends with a slash. `NO_URL` when they cannot. */
  readonly url: string
  /** `worker.labels`. */
  readonly labels?: Labels
  /** The path below the URL of each worker of the group where this group is, when workers of several share a server. */
  readonly path?: string
  /** Called after each rebalance. */
  readonly onRebalanced?: (isLeader: boolean) => void
  readonly findClusterId: () => Promise<string>
  readonly createWorker: (listener: WorkerListener) => Worker
  readonly membership: Membership
  readonly configLog: CompactedLog
  readonly statusLog: CompactedLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly http: HttpClient
  readonly logLevels: LogLevels
  readonly sessionKeys: SessionKeySettings | null
  readonly topicTracking: { readonly enabled: boolean; readonly allowReset: boolean }
}

const FORWARD_TIMEOUT_MS = 30_000
const STATUS_WRITE_MS_MAX = 500
/** Well below the session and rebalance time-outs: a log that is away must not keep the worker out of its group. */
const STATUS_FLUSH_MS_MAX = 5000
const STOP_STEP_MS_MAX = 2000
/** The group protocols before that of KIP-507. */
const UNSIGNED_PROTOCOLS: ReadonlySet<string> = new Set(['compatible', 'default', 'eager'])

/**
 * The herder of both modes: a standalone worker is a group of one with logs in memory. It ties the config and status
 * stores, the group membership and the worker together and answers what REST asks.
 */
export class ConnectHerder implements Herder {
  private readonly options: HerderOptions
  private readonly config: ConfigStore
  private readonly statuses: StatusStore
  private readonly worker: Worker
  private readonly runner: WorkRunner
  private readonly leader: Leader
  private readonly publisher: TaskConfigPublisher
  private readonly secrets: Secrets
  /** Changes of one configuration wait for each other: none may be made from what another one is replacing. */
  private readonly changes = new OneByOne()
  private leaderUrl: string | null = null
  private foundClusterId = ''
  private state: HealthStatus = 'starting'
  private stopping = false

  constructor(options: HerderOptions) {
    this.options = options
    const { clock, logger, random } = options
    this.config = createConfigStore({
      log: options.configLog,
      logger,
      onRead: (changes) => this.onConfigRead(changes),
    })
    this.statuses = createStatusStore({
      log: options.statusLog,
      logger,
      clock,
      workerId: options.workerId,
      isConfigured: (kind, key) => this.config.state.isConfigured(kind, key),
    })
    this.worker = options.createWorker(this.workerListener())
    this.publisher = new TaskConfigPublisher({
      clock,
      logger,
      actions: {
        isWanted: (name) => this.runner.ownsConnector(name) && this.config.state.target(name) === 'STARTED',
        publish: (name) => this.publishTaskConfigs(name),
      },
    })
    this.runner = new WorkRunner({
      workerId: options.workerId,
      labels: this.labels,
      worker: this.worker,
      membership: options.membership,
      config: this.config.state,
      statuses: this.statuses,
      clock,
      logger,
      prepareStart: (name) => this.learnSecrets(name),
      onConnectorStarted: (name) => this.publisher.request(name),
    })
    this.leader = new Leader({
      workerId: options.workerId,
      config: this.config,
      statuses: this.statuses,
      clock,
      random,
      logger,
      sessionKeys: () => this.signing(),
      statusWriteMsMax: STATUS_WRITE_MS_MAX,
    })
    const definitions = (className: string) =>
      this.worker.findPlugin(className) ? this.worker.pluginConfig(className) : null
    this.secrets = new Secrets(definitions, clock)
  }

  get workerId(): string {
    return this.options.workerId
  }

  get labels(): Labels {
    return this.options.labels ?? noLabels
  }

  get clusterId(): string {
    return this.foundClusterId
  }

  async start(): Promise<void> {
    const findClusterId = async () => {
      this.foundClusterId = await this.options.findClusterId()
    }
    await Promise.all([this.config.start(), this.statuses.start(), this.worker.start(), findClusterId()])
    await this.options.membership.start({
      prepareJoin: (eager) => this.prepareJoin(eager),
      joining: () => this.runner.joining(),
      configOffset: () => this.config.state.offset,
      onAssignment: (assignment) => this.onAssignment(assignment),
      onLost: (reason) => this.onLost(reason),
      readConfig: () => this.config.readToEnd(),
      leaderView: () => this.leader.view(),
      onDecision: (decision) => this.leader.onDecision(decision),
    })
  }

  /** What this worker has said of its work is in the log before another worker may be given it and speaks of it. */
  private async prepareJoin(eager: boolean): Promise<void> {
    await this.runner.prepareJoin(eager)
    await within(this.options.clock, STATUS_FLUSH_MS_MAX, this.statuses.flush())
  }

  /** Stops all work, hands it over at once and closes the stores. */
  async stop(): Promise<void> {
    this.state = 'unhealthy'
    this.stopping = true
    this.publisher.stop()
    this.leader.stop()
    await this.runner.shutDown()
    // A log that is away must not hold up the shutdown: the others correct the statuses when they notice the loss.
    const { clock, membership } = this.options
    await within(clock, STOP_STEP_MS_MAX, this.statuses.flush())
    await within(clock, STOP_STEP_MS_MAX, membership.leave())
    await this.worker.stop()
    await within(clock, STOP_STEP_MS_MAX, Promise.all([this.statuses.stop(), this.config.stop()]))
  }

  private onAssignment(assignment: Assignment): void {
    // A leader that lacks configuration must neither change it nor forget the statuses of what it does not know.
    const leads = assignment.isLeader && !assignment.failed
    this.leaderUrl = assignment.failed || assignment.leaderUrl === '' ? null : assignment.leaderUrl
    this.runner.onAssignment(assignment)
    this.leader.onRebalanced(leads)
    if (!assignment.failed && !this.stopping) this.state = 'healthy'
    this.options.onRebalanced?.(leads)
  }

  private async onLost(reason: string): Promise<void> {
    this.options.logger.warn({ reason }, 'this worker is out of the group; everything on it stops')
    this.leaderUrl = null
    if (this.state === 'healthy') this.state = 'unhealthy'
    this.leader.onRebalanced(false)
    this.options.onRebalanced?.(false)
    await this.runner.giveUpAll()
  }

  private onConfigRead(changes: readonly ConfigChange[]): void {
    const { clock, logLevels } = this.options
    this.runner.onChanges(changes)
    let forget = false
    for (const change of changes) {
      if (change.kind === 'restart') {
        const plan = planRestart(this.config.state, this.statuses.state, change.request)
        if (plan) this.runner.restart(plan.connector ? [change.request.connector] : [], plan.tasks)
      } else if (change.kind === 'logger-level') {
        logLevels.set(change.namespace, change.level, clock.now())
      } else if (change.kind === 'connector-removed' || change.kind === 'tasks') {
        forget = true
      }
    }
    if (forget && this.leader.isLeading()) this.leader.forgetDeleted()
  }

  /** The worker's news become statuses; UNASSIGNED is the herder's own to say. */
  private workerListener(): WorkerListener {
    const clean = (name: string, detail: StateDetail): StateDetail =>
      detail.trace === undefined ? detail : { ...detail, trace: this.cleanTrace(name, detail.trace) }
    const mine = (state: RunState) => state !== 'UNASSIGNED' && state !== 'DESTROYED'
    return {
      onConnectorState: (name, state, detail) => {
        if (!mine(state) || !this.config.state.has(name)) return
        this.statuses.put('connectors', name, this.runner.status(state, clean(name, detail)))
      },
      onTaskState: (id, state, detail) => {
        if (!mine(state) || !this.config.state.has(id.connector)) return
        this.statuses.put('tasks', taskKey(id), this.runner.status(state, clean(id.connector, detail)))
      },
      onTopicUsed: (id, topic) => this.onTopicUsed(id, topic),
      onTaskReconfigurationRequested: (name) => this.publisher.request(name),
    }
  }

  /** The secret values by connector, with the configuration that they were learned from. */
  private readonly secretValues = new Map<string, { readonly config: RawConfig; readonly values: readonly string[] }>()

  /** Drivers like to put the whole connection string into their errors (invariant 10). */
  private cleanTrace(name: string, trace: string): string {
    return scrub(trace, this.secretValues.get(name)?.values ?? [])
  }

  /** Before anything of a connector runs its secrets are known, so that no trace of it can show them. */
  private async learnSecrets(name: string): Promise<void> {
    const config = this.config.state.config(name)
    if (!config || this.secretValues.get(name)?.config === config) return
    const keys = await this.secrets.secretKeys(config)
    this.secretValues.set(name, { config, values: [...keys].map((key) => config[key] ?? '') })
  }

  private onTopicUsed(id: TaskId, topic: string): void {
    if (!this.options.topicTracking.enabled || !this.config.state.has(id.connector)) return
    if (this.statuses.state.topics(id.connector).includes(topic)) return
    this.statuses.putTopic(id.connector, id.task, topic)
  }

  private async publishTaskConfigs(name: string): Promise<void> {
    const connector = this.config.state.config(name)
    if (!connector) return
    const tasksMax = Number(connector['tasks.max'] ?? '1')
    const fresh = await this.worker.taskConfigs(name, tasksMax)
    const state = this.config.state
    const stored = state.tasks(name).map((key) => state.taskConfig(name, parseTaskKey(key).task) ?? {})
    const applied = state.appliedConfig(name)
    const unchanged =
      applied !== null &&
      sameConfig(applied, connector) &&
      !state.inconsistentConnectors().includes(name) &&
      stored.length === fresh.length &&
      fresh.every((config, i) => sameConfig(config, stored[i] ?? {}))
    if (unchanged) return
    // A worker that cannot ask its leader writes by itself: nobody else writes the tasks of a connector that it runs.
    const writes = this.leader.isLeading() || this.options.url === NO_URL
    if (writes) await this.config.write(taskRecords(name, fresh))
    else await this.sendTaskConfigs(name, fresh)
  }

  private async sendTaskConfigs(name: string, configs: readonly RawConfig[]): Promise<void> {
    const { http } = this.options
    const sessionKeys = this.signing()
    if (this.leaderUrl === null) throw new HerderError('CONFLICT', 'no leader is known')
    const body = Buffer.from(JSON.stringify(configs))
    const key = this.config.state.sessionKey()
    if (sessionKeys && !key) throw new HerderError('UNAVAILABLE', 'no session key has been read yet')
    const response = await http({
      method: 'POST',
      url: `${this.leaderUrl}${this.options.path ?? ''}connectors/${encodeURIComponent(name)}/tasks?forward=false`,
      headers: {
        'content-type': 'application/json',
        ...(sessionKeys && key ? signatureHeaders(key, sessionKeys, body) : {}),
      },
      body,
      timeoutMs: FORWARD_TIMEOUT_MS,
    })
    if (response.status >= 300) {
      throw new HerderError(
        'CONFLICT',
        `the leader answered ${response.status}: ${response.body.toString('utf8', 0, 500)}`,
      )
    }
  }

  /** The configuration as far as this worker has read it. */
  configuration(): ConfigState {
    return this.config.state
  }

  health(): HealthStatus {
    return this.state
  }

  /** Workers sign their requests to each other unless the group has one that cannot, and so an older protocol. */
  private signing(): SessionKeySettings | null {
    const { membership, sessionKeys } = this.options
    return UNSIGNED_PROTOCOLS.has(membership.metrics().protocol) ? null : sessionKeys
  }

  private requireLeader(): void {
    if (!this.leader.isLeading()) throw new RequestTargetError(this.leaderUrl)
  }

  /** Whom to ask about what does not run here, or that it waits for a worker with its labels. */
  private runsElsewhere(kind: WorkKind, key: string): Error {
    if (!this.leader.isLeading()) return new RequestTargetError(this.leaderUrl)
    const owner = this.leader.owner(kind, key)
    const status = this.statuses.state.get(kind, key)
    const waits = owner === undefined && status?.state === 'UNASSIGNED' && status.trace !== null
    return waits ? new HerderError('CONFLICT', `${key}: ${status.trace}`) : new RequestTargetError(owner ?? null)
  }

  private requireConnector(name: string, message: string): void {
    if (!this.config.state.has(name)) throw new HerderError('NOT_FOUND', message)
  }

  /** A request of another worker about a connector: signed when the group signs, and meant for the leader. */
  private requireInternal(name: string, request: InternalRequest): void {
    const sessionKeys = this.signing()
    if (sessionKeys) verifySignature(this.config.state.sessionKey(), sessionKeys, request)
    this.requireLeader()
    this.requireConnector(name, `Connector ${name} not found`)
  }

  private typeOf(config: RawConfig): ConnectorType {
    const type = this.worker.findPlugin(config['connector.class'] ?? '')?.type
    return type === 'source' || type === 'sink' ? type : 'unknown'
  }

  connectors(): readonly string[] {
    return this.config.state.connectors()
  }

  async connectorInfo(name: string): Promise<ConnectorInfo> {
    const config = requireConfig(this.config.state, name)
    return {
      name,
      config: await this.secrets.mask(config),
      tasks: taskIds(this.config.state, name),
      type: this.typeOf(config),
    }
  }

  connectorStatus(name: string): ConnectorStateInfo {
    return viewStatus(this.config.state, this.statuses.state, name, this.typeOf(this.config.state.config(name) ?? {}))
  }

  taskStatus(name: string, task: number): TaskState {
    return viewTaskStatus(this.config.state, this.statuses.state, name, task)
  }

  async taskInfos(name: string): Promise<readonly TaskInfo[]> {
    const connector = requireConfig(this.config.state, name)
    const secret = await this.secrets.secretKeys(connector)
    const infos: TaskInfo[] = []
    for (const id of taskIds(this.config.state, name)) {
      const config = this.config.state.taskConfig(name, id.task) ?? {}
      // A task configuration may leave out the class that says which of its keys are secret; the connector's keys are known.
      const masked = await this.secrets.mask({ ...config, 'connector.class': connector['connector.class'] ?? '' })
      infos.push({
        id,
        config: Object.fromEntries(
          Object.keys(config).map((key) => [key, secret.has(key) ? HIDDEN : (masked[key] ?? '')]),
        ),
      })
    }
    return infos
  }

  private async check(config: RawConfig): Promise<ConfigInfos> {
    const name = config.name ?? ''
    if (config['connector.class'] === undefined) {
      throw new HerderError('BAD_REQUEST', `Connector config {name=${name}} contains no connector type`)
    }
    const infos = await this.worker.validate(config)
    return withHerderChecks(infos, config)
  }

  createConnector(name: string, submitted: RawConfig, initialState: TargetState): Promise<ConnectorInfo> {
    return this.changes.run(name, async () => {
      this.requireLeader()
      const config = withName(name, submitted)
      if (this.config.state.has(name)) throw alreadyExists(name)
      requireValid(await this.check(config))
      // The target state comes first, so that no worker ever sees the connector without it.
      const target = initialState === 'STARTED' ? [] : [targetStateRecord(name, initialState)]
      await this.write([...target, connectorRecord(name, config)])
      return { name, config: await this.secrets.mask(config), tasks: [], type: this.typeOf(config) }
    })
  }

  /** Only a leader writes; it may have stopped being one while it validated. */
  private async write(records: Parameters<ConfigStore['write']>[0]): Promise<void> {
    this.requireLeader()
    await this.config.write(records)
  }

  putConnectorConfig(name: string, submitted: RawConfig): Promise<CreatedConnector> {
    return this.changes.run(name, async () => {
      this.requireLeader()
      const stored = this.config.state.config(name)
      const config = restoreHidden(withName(name, submitted), stored)
      requireValid(await this.check(config))
      await this.write([connectorRecord(name, config)])
      return { created: stored === null, info: await this.connectorInfo(name) }
    })
  }

  patchConnectorConfig(name: string, patch: Readonly<Record<string, string | null>>): Promise<ConnectorInfo> {
    return this.changes.run(name, async () => {
      this.requireLeader()
      const stored = requireConfig(this.config.state, name)
      const merged: Record<string, string> = { ...stored }
      for (const [key, value] of Object.entries(patch)) {
        if (value === null) delete merged[key]
        else merged[key] = value
      }
      const config = restoreHidden(withName(name, merged), stored)
      requireValid(await this.check(config))
      // A deletion waits for nobody: what was deleted while the patch was validated stays deleted.
      requireConfig(this.config.state, name)
      await this.write([connectorRecord(name, config)])
      return this.connectorInfo(name)
    })
  }

  async deleteConnector(name: string): Promise<void> {
    this.requireLeader()
    this.requireConnector(name, `Connector ${name} not found`)
    await this.write(deletionRecords(name))
  }

  async setTarget(name: string, target: TargetState): Promise<void> {
    this.requireConnector(name, `Unknown connector ${name}`)
    if (target === 'STOPPED') {
      // A stop also takes the tasks away, which only the leader may write.
      await this.write([...taskRecords(name, []), targetStateRecord(name, target)])
      return
    }
    if (this.config.state.target(name) === target) return
    await this.config.write([targetStateRecord(name, target)])
  }

  async restartConnector(name: string): Promise<void> {
    this.requireConnector(name, `Unknown connector: ${name}`)
    if (this.runner.ownsConnector(name)) {
      this.runner.restart([name], [])
      await this.statuses.flush()
      return
    }
    throw this.runsElsewhere('connectors', name)
  }

  async restartConnectorAndTasks(
    name: string,
    includeTasks: boolean,
    onlyFailed: boolean,
  ): Promise<ConnectorStateInfo> {
    this.requireLeader()
    this.requireConnector(name, `Unknown connector: ${name}`)
    const request = { connector: name, includeTasks, onlyFailed }
    const plan = planRestart(this.config.state, this.statuses.state, request)
    if (!plan) throw new HerderError('NOT_FOUND', `Status for connector ${name} not found`)
    const answer = viewRestart(this.connectorStatus(name), plan)
    await this.write([restartRecord(request)])
    return answer
  }

  async restartTask(name: string, task: number): Promise<void> {
    this.requireConnector(name, `Unknown connector: ${name}`)
    const key = taskKey({ connector: name, task })
    if (!this.config.state.tasks(name).includes(key)) throw new HerderError('NOT_FOUND', `Unknown task: ${key}`)
    if (this.runner.ownsTask(key)) {
      this.runner.restart([], [key])
      await this.statuses.flush()
      return
    }
    throw this.runsElsewhere('tasks', key)
  }

  topics(name: string): readonly string[] {
    if (!this.options.topicTracking.enabled) throw new HerderError('FORBIDDEN', 'Topic tracking is disabled.')
    return this.statuses.state.topics(name)
  }

  async resetTopics(name: string): Promise<void> {
    const { enabled, allowReset } = this.options.topicTracking
    if (!enabled) throw new HerderError('FORBIDDEN', 'Topic tracking is disabled.')
    if (!allowReset) throw new HerderError('FORBIDDEN', 'Topic tracking reset is disabled.')
    this.statuses.deleteTopics(name)
    await this.statuses.flush()
  }

  plugins(connectorsOnly: boolean): readonly PluginSummary[] {
    const wanted = connectorsOnly ? pluginTypes.slice(0, 2) : pluginTypes
    return wanted.flatMap(([kind, type]) =>
      this.worker.plugins
        .filter((plugin) => plugin.type === kind)
        .map((plugin) => ({ class: plugin.class, type, version: plugin.version })),
    )
  }

  pluginConfig(className: string, version = ''): Promise<readonly ConfigKeyInfo[]> {
    const newest = this.worker.findPlugin(className)
    if (!newest) throw new HerderError('NOT_FOUND', `Unknown plugin ${className}.`)
    if (versionInRange(newest.version, version) === undefined) {
      throw new HerderError('BAD_REQUEST', `Invalid version specification: ${version}`)
    }
    if (!this.worker.findPlugin(className, newest.type, version)) {
      const same = this.worker.plugins.filter((plugin) => plugin.class === newest.class && plugin.type === newest.type)
      const versions = same.map((plugin) => plugin.version)
      throw new HerderError('BAD_REQUEST', noVersionInRange(newest.class, version, versions))
    }
    return this.worker.pluginConfig(className, version)
  }

  async validate(className: string, config: RawConfig): Promise<ConfigInfos> {
    const named = this.worker.findPlugin(className)
    const given = config['connector.class']
    if (!named) throw new HerderError('BAD_REQUEST', `Unknown plugin ${className}.`)
    if (given !== undefined && this.worker.findPlugin(given) !== named) {
      throw new HerderError('BAD_REQUEST', `Included connector type ${given} does not match request type ${className}`)
    }
    const stored = this.config.state.config(config.name ?? '')
    const complete = restoreHidden({ 'connector.class': className, ...config }, stored)
    return maskInfos(await this.check(complete))
  }

  async putTaskConfigs(name: string, request: InternalRequest): Promise<void> {
    this.requireInternal(name, request)
    await this.write(taskRecords(name, parseTaskConfigs(request.body)))
  }

  fence(name: string, request: InternalRequest): Promise<void> {
    this.requireInternal(name, request)
    throw new HerderError(
      'CONFLICT',
      `Connector ${name} cannot be fenced: exactly.once.source.support is not enabled on the leader`,
    )
  }

  loggers(): Readonly<Record<string, LoggerLevel>> {
    return this.options.logLevels.all()
  }

  logger(name: string): LoggerLevel {
    if (!isLogger(name)) throw new HerderError('NOT_FOUND', `Logger ${name} not found.`)
    return effectiveLevel(this.loggers(), name)
  }

  async setLogger(name: string, level: string, scope: 'worker' | 'cluster'): Promise<readonly string[]> {
    const valid = requireLevel(level)
    requireLogger(name)
    if (scope === 'cluster') {
      await this.config.write([loggerRecord(name, valid)])
      return []
    }
    this.options.logLevels.set(name, valid, this.options.clock.now())
    return [name]
  }

  metrics(): readonly MetricSample[] {
    return [
      ...this.worker.metrics(),
      ...herderMetrics({
        membership: this.options.membership.metrics(),
        leaderUrl: this.leaderUrl,
        nowMs: this.options.clock.now(),
      }),
    ]
  }
}

function alreadyExists(name: string): HerderError {
  return new HerderError('ALREADY_EXISTS', `Connector ${name} already exists`)
}

function parseTaskConfigs(body: Buffer): readonly RawConfig[] {
  let json: unknown
  try {
    json = JSON.parse(body.toString('utf8'))
  } catch {
    throw new HerderError('BAD_REQUEST', 'the body of an internal request must be JSON')
  }
  const isConfig = (config: unknown) =>
    typeof config === 'object' &&
    config !== null &&
    !Array.isArray(config) &&
    Object.values(config).every((value) => typeof value === 'string')
  if (!Array.isArray(json) || !json.every(isConfig)) {
    throw new HerderError('BAD_REQUEST', 'task configurations are a list of maps of text')
  }
  return json as RawConfig[]
}
