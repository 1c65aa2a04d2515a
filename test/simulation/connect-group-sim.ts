import type { RawConfig } from '@millrace/sdk'
import { type Random, seededRandom, silentLogger } from '../../src/base/index.ts'
import type { CompactedLog, LogRecord, LogWrite } from '../../src/connect/stores/compacted-log.ts'
import { lackingLabels, readLabels } from '../../src/connect/config/worker-labels.ts'
import { createGroupMembership } from '../../src/connect/herder/group-membership.ts'
import {
  ConnectHerder,
  createLogLevels,
  type TaskId,
  type Worker,
  type WorkerListener,
} from '../../src/connect/index.ts'
import { type Carry, SimCoordinator, SimGroupMember } from './connect-coordinator.ts'
import { SimClock } from './sim-clock.ts'
import { check, InvariantBroken, type SimResult, type Simulation, streamStart } from './simulation.ts'

const CHAOS_MS = 120_000
const HEAL_MS = 90_000
const STEP_MS = 50
/** Stalls have a stream of their own, so that past seeds stay what they were. */
const STALLS = 0x85ebca6b
/** Labels have one as well, which gives the seeds that once failed none. */
const LABELS = 0x165667b1
const LABEL_CHOICES = ['zone=a', 'zone=b', 'role=edge']
const SYNC = { syncTimeoutMs: 1500, unsyncBackoffMs: 10_000 }
const TRACE_LINES = 80

interface Options {
  readonly workers: number
  readonly connectors: number
  readonly delayMsMax: number
  readonly stopMsMax: number
  readonly dropRate: number
  readonly crashRate: number
  readonly partitionRate: number
  readonly changeRate: number
  readonly maxDelayMs: number
  readonly stallRate: number
  /** How likely each label is on a worker, and required by a connector; 0 without labels. */
  readonly labelRate: number
}

/** The seed draws how the world is, too: some have no faults of a kind at all. */
function drawOptions(random: Random, stalls: Random, labels: Random): Options {
  const maybe = (most: number) => (random.next() < 0.4 ? 0 : random.next() * most)
  return {
    workers: 1 + Math.floor(random.next() * 4),
    connectors: 1 + Math.floor(random.next() * 5),
    delayMsMax: 1 + random.next() * 100,
    stopMsMax: random.next() < 0.5 ? 5 : 3000,
    dropRate: maybe(0.1),
    crashRate: maybe(0.06),
    partitionRate: maybe(0.04),
    changeRate: maybe(0.5),
    maxDelayMs: random.next() < 0.7 ? 0 : 5000,
    stallRate: stalls.next() < 0.4 ? stalls.next() * 0.3 : 0,
    labelRate: labels.next() < 0.5 ? 0.2 + labels.next() * 0.6 : 0,
  }
}

/** The log of the cluster: one order of records, which every worker reads with a delay of its own. */
class SharedLog {
  readonly records: LogRecord[] = []
  readonly readers = new Set<() => void>()

  write(record: LogWrite): number {
    const offset = this.records.length
    this.records.push({ ...record, partition: 0, offset, timestampMs: 0 })
    for (const reader of this.readers) reader()
    return offset
  }
}

class World {
  readonly clock = new SimClock()
  readonly random: Random
  readonly stalls: Random
  readonly labels: Random
  readonly options: Options
  readonly coordinator: SimCoordinator
  readonly configLog = new SharedLog()
  readonly statusLog = new SharedLog()
  readonly nodes: Node[] = []
  readonly trace: string[] = []
  readonly stats = {
    rebalances: 0,
    crashes: 0,
    partitions: 0,
    stalls: 0,
    leaves: 0,
    changes: 0,
    taskStarts: 0,
    waiting: 0,
  }
  chaos = true
  /** Task configurations as connectors made them: what may run. */
  epoch = 0

  readonly lies: boolean

  constructor(seed: number, lies: boolean) {
    this.lies = lies
    this.random = seededRandom(streamStart(seed))
    this.stalls = seededRandom(streamStart(seed, STALLS))
    this.labels = seededRandom(streamStart(seed, LABELS))
    this.options = drawOptions(this.random, this.stalls, this.labels)
    this.coordinator = new SimCoordinator(this.clock)
    for (let i = 0; i < this.options.workers; i++) this.nodes.push(new Node(this, i))
  }

  /** Checks in calls whose failures the herder handles: what does not hold is remembered. */
  require(condition: unknown, message: string): void {
    if (!condition) this.broken ??= new InvariantBroken(message)
  }

  broken: InvariantBroken | null = null

  private async advance(ms: number): Promise<void> {
    for (let elapsed = 0; elapsed < ms; elapsed += STEP_MS) {
      await this.clock.advance(STEP_MS)
      this.checkOwners()
      if (this.broken) throw this.broken
    }
  }

  note(line: string): void {
    this.trace.push(`${(this.clock.monotonicMs() / 1000).toFixed(3)} ${line}`)
    if (this.trace.length > TRACE_LINES) this.trace.shift()
  }

  delay(ms = this.random.next() * this.options.delayMsMax): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimer(ms, resolve)
    })
  }

  async run(): Promise<void> {
    for (const node of this.nodes) node.start()
    await this.advance(3000)
    for (let i = 0; i < this.options.connectors; i++) this.change(`c${i}`)
    for (let elapsed = 0; elapsed < CHAOS_MS; elapsed += STEP_MS) {
      this.misfortune()
      await this.advance(STEP_MS)
    }
    this.chaos = false
    for (const node of this.nodes) {
      node.cutUntilMs = 0
      node.stalledUntilMs = 0
      if (!node.alive) node.start()
    }
    this.note('healed')
    await this.advance(HEAL_MS)
    this.stats.rebalances = this.coordinator.rebalances
    this.checkConverged()
    this.note('quiet')
    const quiet = this.coordinator.rebalances
    await this.advance(HEAL_MS)
    check(this.coordinator.rebalances === quiet, `the group rebalances although nothing happens`)
  }

  drawLabels(rate: number): string[] {
    return LABEL_CHOICES.filter(() => rate > 0 && this.labels.next() < rate)
  }

  private chance(perSecond: number): boolean {
    return this.random.next() < (perSecond * STEP_MS) / 1000
  }

  private misfortune(): void {
    const { crashRate, partitionRate, stallRate, changeRate, connectors } = this.options
    for (const node of this.nodes) {
      if (node.alive && this.chance(crashRate)) node.crash()
      if (node.alive && this.chance(partitionRate)) {
        this.stats.partitions++
        node.cutUntilMs = this.clock.monotonicMs() + this.random.next() * 30_000
        this.note(`${node.name} is cut off`)
      }
      if (stallRate > 0 && node.alive && this.stalls.next() < (stallRate * STEP_MS) / 1000) {
        this.stats.stalls++
        node.stalledUntilMs = this.clock.monotonicMs() + this.stalls.next() * 20_000
        this.note(`${node.name} does not get to read the configuration`)
      }
    }
    if (this.chance(changeRate)) this.change(`c${Math.floor(this.random.next() * connectors)}`)
  }

  /** A user changes something, at whichever worker answers. */
  private change(name: string): void {
    this.stats.changes++
    const leader = this.nodes.find((node) => node.alive && node.herder !== null)
    if (!leader?.herder) return
    const kind = this.random.next()
    const config = {
      'connector.class': 'X',
      'tasks.max': String(1 + Math.floor(this.random.next() * 4)),
      'required.worker.labels': this.drawLabels(this.options.labelRate / 2).join(),
    }
    const { herder } = leader
    const request = async () => {
      if (kind < 0.6) await herder.putConnectorConfig(name, config)
      else if (kind < 0.7) await herder.deleteConnector(name)
      else if (kind < 0.8) await herder.setTarget(name, 'STOPPED')
      else if (kind < 0.9) await herder.setTarget(name, 'PAUSED')
      else await herder.setTarget(name, 'STARTED')
    }
    // Not being the leader, or cut off, is an answer a user gets.
    request().catch(() => {})
  }

  /** Invariant 4: members of the same generation never run one task twice. */
  checkOwners(): void {
    const owners = new Map<string, Node>()
    for (const node of this.nodes) {
      const { member } = node
      if (!node.alive || !member || !this.coordinator.isMember(member.memberId)) continue
      for (const key of node.tasks.keys()) {
        const other = owners.get(key)
        const sameGeneration = other?.member?.generation === member.generation
        this.require(
          !other || !sameGeneration,
          `${key} runs on ${other?.name} and ${node.name} in generation ${member.generation}`,
        )
        owners.set(key, node)
      }
    }
  }

  /** Without faults every configured task that may run somewhere runs exactly once, and evenly; the others say why not. */
  private checkConverged(): void {
    const [first] = this.nodes
    const state = first?.herder?.configuration()
    check(state, 'no worker is there')
    const homes = (kind: 'connectors' | 'tasks', name: string) =>
      this.nodes.filter((node) => lackingLabels(state.requiredLabels(kind, name), node.labels).length === 0)
    const connectorOf = (task: string) => task.slice(0, task.lastIndexOf('-'))
    const isRunnable = (task: string) => homes('tasks', connectorOf(task)).length > 0
    const expected = [...state.configured().tasks].filter(isRunnable).toSorted()
    const running = this.nodes.flatMap((node) => [...node.tasks.keys()]).toSorted()
    check(JSON.stringify(running) === JSON.stringify(expected), `runs ${running.join()} instead of ${expected.join()}`)
    const connectors = this.nodes.flatMap((node) => [...node.connectors]).toSorted()
    const wanted = state
      .connectors()
      .filter((name) => homes('connectors', name).length > 0)
      .toSorted()
    check(JSON.stringify(connectors) === JSON.stringify(wanted), `connectors ${connectors.join()} for ${wanted.join()}`)
    const sizes = this.nodes.map((node) => node.tasks.size)
    for (const node of this.nodes) {
      for (const task of node.tasks.keys()) {
        const least = Math.min(...homes('tasks', connectorOf(task)).map((home) => home.tasks.size))
        check(node.tasks.size - least <= 1, `tasks are spread ${sizes.join()}, and ${task} is on ${node.name}`)
      }
    }
    for (const name of state.connectors()) this.checkWaiting(name, homes)
    for (const name of wanted) {
      if (state.target(name) === 'STARTED') {
        check(state.tasks(name).length > 0, `${name} is started and has no tasks`)
      }
    }
  }

  /** What no worker has the labels for is UNASSIGNED and says that it waits. */
  private checkWaiting(name: string, homes: (kind: 'connectors' | 'tasks', name: string) => readonly Node[]): void {
    const status = this.nodes[0]?.herder?.connectorStatus(name)
    const waits = [
      ...(homes('connectors', name).length === 0 ? [status?.connector] : []),
      ...(homes('tasks', name).length === 0 ? (status?.tasks ?? []) : []),
    ]
    for (const seen of waits) {
      const isSaid = seen?.state === 'UNASSIGNED' && seen.trace?.startsWith('Waits for ') === true
      check(isSaid, `${name} waits for a worker with its labels and shows ${JSON.stringify(seen)}`)
      this.stats.waiting++
    }
  }
}

/** One worker: a real herder over simulated logs, group and tasks. */
class Node {
  readonly name: string
  readonly labels: ReadonlySet<string>
  readonly tasks = new Map<string, RawConfig>()
  readonly connectors = new Set<string>()
  alive = false
  cutUntilMs = 0
  stalledUntilMs = 0
  herder: ConnectHerder | null = null
  member: SimGroupMember | null = null
  private life = 0
  private readonly world: World

  constructor(world: World, index: number) {
    this.world = world
    this.name = `w${index}`
    this.labels = new Set(world.drawLabels(world.options.labelRate))
  }

  isCut(): boolean {
    return this.world.chaos && this.world.clock.monotonicMs() < this.cutUntilMs
  }

  start(): void {
    const { world } = this
    const life = ++this.life
    this.alive = true
    world.note(`${this.name} starts`)
    const url = `http://${this.name}:1/`
    const carry: Carry = async (request) => {
      await world.delay()
      if (this.life !== life || this.isCut() || this.isDropped()) return null
      const answer = await request()
      await world.delay()
      return this.life !== life || this.isCut() || this.isDropped() ? null : answer
    }
    const herder = new ConnectHerder({
      workerId: `${this.name}:1`,
      labels: this.labels,
      url,
      findClusterId: () => Promise.resolve('sim'),
      createWorker: (listener) => this.worker(listener, life),
      membership: createGroupMembership({
        createMember: (owner) => {
          const member = new SimGroupMember(world.coordinator, world.clock, carry, owner)
          this.member = member
          return {
            start: () => member.start(),
            requestRejoin: () => member.requestRejoin(),
            leave: () => this.leaves(member, life),
          }
        },
        url,
        labels: this.labels,
        sync: SYNC,
        protocol: 'compatible',
        maxDelayMs: world.options.maxDelayMs,
        clock: world.clock,
        logger: silentLogger,
        onFatal: (error) => {
          throw error
        },
      }),
      configLog: this.log(world.configLog, life, () => world.clock.monotonicMs() < this.stalledUntilMs),
      statusLog: this.log(world.statusLog, life, () => false),
      clock: world.clock,
      random: world.random,
      logger: silentLogger,
      http: (request) => this.http(request.url, request.body, request.timeoutMs, life),
      logLevels: createLogLevels('INFO', () => {}),
      sessionKeys: null,
      topicTracking: { enabled: true, allowReset: true },
    })
    this.herder = herder
    herder.start().catch((error: unknown) => world.note(`${this.name} does not start: ${String(error)}`))
  }

  /** Invariant 4: whoever leaves has nothing running any more. */
  private leaves(member: SimGroupMember, life: number): Promise<void> {
    const { world } = this
    // A timer of a life that has ended: nobody hears of it any more.
    if (this.life !== life) return new Promise<never>(() => {})
    const running = [...this.connectors, ...this.tasks.keys()]
    world.require(running.length === 0, `${this.name} leaves the group and runs ${running.join()}`)
    world.stats.leaves++
    world.note(`${this.name} leaves, because it lacks configuration`)
    return member.leave()
  }

  private isDropped(): boolean {
    return this.world.chaos && this.world.random.next() < this.world.options.dropRate
  }

  crash(): void {
    const { world } = this
    world.stats.crashes++
    world.note(`${this.name} crashes`)
    this.alive = false
    this.life++
    this.member?.crash()
    this.herder = null
    this.tasks.clear()
    this.connectors.clear()
    void world.delay(world.random.next() * 15_000).then(() => {
      if (!this.alive) this.start()
    })
  }

  private async http(url: string, body: Buffer | null, timeoutMs: number, life: number) {
    const { world } = this
    // A worker that crashes before it answers is noticed by the time-out alone, which is the worst there is.
    const late = world.delay(timeoutMs).then(() => Promise.reject(new Error('no answer in time')))
    return Promise.race([late, this.ask(url, body, life)])
  }

  private async ask(url: string, body: Buffer | null, life: number) {
    const { world } = this
    await world.delay()
    const target = world.nodes.find((node) => url.startsWith(`http://${node.name}:`))
    if (!target?.alive || !target.herder || target.isCut() || this.isCut() || this.life !== life) {
      throw new Error('no answer')
    }
    const name = /connectors\/([^/]+)\/tasks/.exec(url)?.[1] ?? ''
    await target.herder.putTaskConfigs(name, {
      body: body ?? Buffer.alloc(0),
      signature: undefined,
      algorithm: undefined,
    })
    return { status: 204, headers: {}, body: Buffer.alloc(0) }
  }

  /** This worker's way to a log: appends may be torn by a crash between two records, reads lag. */
  private log(shared: SharedLog, life: number, isStalled: () => boolean): CompactedLog {
    const { world } = this
    let position = 0
    let reading = false
    let onRecords: (records: readonly LogRecord[]) => void = () => {}
    const waiters = new Set<() => void>()
    const read = async () => {
      if (reading) return
      reading = true
      while (position < shared.records.length && this.life === life) {
        await world.delay()
        if (this.life !== life) break
        if (this.isCut() || isStalled()) continue
        const batch = shared.records.slice(position, position + 1 + Math.floor(world.random.next() * 5))
        position += batch.length
        onRecords(batch)
        for (const waiter of waiters) waiter()
      }
      reading = false
    }
    const until = (end: number) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (position < end) return
          waiters.delete(look)
          resolve()
        }
        waiters.add(look)
        look()
        void read()
      })
    return {
      async start(listener) {
        onRecords = listener
        shared.readers.add(() => void read())
        await until(shared.records.length)
      },
      append: async (records) => {
        let end = 0
        for (const record of records) {
          do await world.delay(world.random.next() * 5)
          while (this.isCut() && this.life === life)
          if (this.life !== life) return new Promise<never>(() => {})
          end = shared.write(record) + 1
        }
        await until(end)
      },
      readToEnd: () => until(shared.records.length),
      stop: () => Promise.resolve(),
    }
  }

  private worker(listener: WorkerListener, life: number): Worker {
    const { world } = this
    const isOver = () => this.life !== life
    const nothing = () => Promise.resolve()
    const empty = { name: '', error_count: 0, groups: [], configs: [] }
    return {
      plugins: [],
      findPlugin: () => ({ class: 'X', type: 'source', version: '1', aliases: [] }),
      start: nothing,
      validate: () => Promise.resolve(empty),
      pluginConfig: () => Promise.resolve([]),
      startConnector: async (name, config, target) => {
        this.checkLabels(name, config)
        await world.delay(world.random.next() * 20)
        if (isOver()) return
        world.require(!this.connectors.has(name), `${name} is started twice on ${this.name}`)
        this.connectors.add(name)
        listener.onConnectorState(name, target === 'STARTED' ? 'RUNNING' : target, {})
      },
      stopConnector: async (name) => {
        await world.delay(world.random.next() * 20)
        if (!isOver()) this.connectors.delete(name)
      },
      setConnectorTarget: async (name, target) => {
        await world.delay(world.random.next() * 20)
        listener.onConnectorState(name, target === 'STARTED' ? 'RUNNING' : target, {})
      },
      taskConfigs: async (name, maxTasks) => {
        await world.delay(world.random.next() * 20)
        const epoch = String(++world.epoch)
        const total = String(maxTasks)
        return Array.from({ length: maxTasks }, (_, i) => ({ connector: name, epoch, total, number: String(i) }))
      },
      startTask: (id, connector, config, target) => {
        this.checkLabels(`${id.connector}-${id.task}`, connector)
        return this.startTask(listener, id, config, target, life)
      },
      stopTasks: async (ids) => {
        const stopping = world.delay(world.random.next() * world.options.stopMsMax)
        // A lying worker says that tasks have stopped which have not: the checker must find out.
        if (world.lies) void stopping.then(() => this.forget(ids, life))
        else await stopping
        if (!world.lies) this.forget(ids, life)
      },
      setTaskTarget: nothing,
      running: () => ({ connectors: [...this.connectors], tasks: [] }),
      metrics: () => [],
      stop: nothing,
    }
  }

  private checkLabels(what: string, connector: RawConfig): void {
    const lacking = lackingLabels(readLabels(connector['required.worker.labels']), this.labels)
    this.world.require(lacking.length === 0, `${what} starts on ${this.name}, which lacks ${lacking.join()}`)
  }

  private forget(ids: readonly TaskId[], life: number): void {
    if (this.life === life) for (const id of ids) this.tasks.delete(`${id.connector}-${id.task}`)
  }

  private async startTask(listener: WorkerListener, id: TaskId, config: RawConfig, target: string, life: number) {
    const { world } = this
    await world.delay(world.random.next() * 20)
    if (this.life !== life) return
    const key = `${id.connector}-${id.task}`
    world.require(!this.tasks.has(key), `${key} is started twice on ${this.name}`)
    world.require(Number(config.number) === id.task, `${key} runs with the configuration of task ${config.number}`)
    // Invariant 7: what runs comes from a complete commit of the connector's configurations.
    const committed = world.configLog.records.some(({ key: recordKey, value, offset }) => {
      if (recordKey !== `commit-${id.connector}` || value === null) return false
      return JSON.parse(String(value)).tasks === Number(config.total) && this.isComplete(offset, id.connector, config)
    })
    world.require(committed, `${key} runs with configuration ${config.epoch}, which was never committed as a whole`)
    world.stats.taskStarts++
    this.tasks.set(key, config)
    world.note(`${key} starts on ${this.name}`)
    listener.onTaskState(id, target === 'STARTED' ? 'RUNNING' : 'PAUSED', {})
    world.checkOwners()
  }

  /** Whether all task records of a commit were written before it, with the task's epoch for this task. */
  private isComplete(commitOffset: number, connector: string, config: RawConfig): boolean {
    const { records } = this.world.configLog
    const latest = new Map<string, string>()
    for (const { key, value, offset } of records) {
      if (offset >= commitOffset) break
      if (key.startsWith(`task-${connector}-`) && value !== null) {
        latest.set(key, (JSON.parse(String(value)) as { properties: RawConfig }).properties.epoch ?? '')
      }
    }
    const all = Array.from({ length: Number(config.total) }, (_, i) => latest.get(`task-${connector}-${i}`))
    return all.every((epoch) => epoch !== undefined) && all[Number(config.number)] === config.epoch
  }
}

/** Runs one seed; with lying workers the checker has something to find. */
export async function connectGroupSimulationWith(seed: number, lies: boolean): Promise<SimResult> {
  const world = new World(seed, lies)
  const { options, stats, trace } = world
  try {
    await world.run()
    return { ok: true, options, stats }
  } catch (error) {
    if (!(error instanceof InvariantBroken)) throw error
    return { ok: false, options, stats, failure: error.message, trace }
  }
}

/** Herders, their memberships and their slots over a model of the coordinator, the log and the tasks. */
export const connectGroupSimulation: Simulation = {
  name: 'connect-group',
  run: (seed) => connectGroupSimulationWith(seed, false),
}
