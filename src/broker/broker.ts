import type { Clock, Disk, Listener, Logger, Net, Random, Timer } from '../base/index.ts'
import { LogManager } from '../log/index.ts'
import type { BrokerServices } from './broker-services.ts'
import { BrokerConfig } from './config/broker-config.ts'
import type { ListenerConfig } from './config/listeners.ts'
import { Deadlines } from './deadlines.ts'
import { API_RANGES, Dispatcher } from './dispatcher.ts'
import { FetchSessions } from './fetch/fetch-sessions.ts'
import { GroupCoordinator } from './groups/group-coordinator.ts'
import { OffsetsTopic } from './groups/offsets-topic.ts'
import { type AdvertisedEndpoint, ClientConnection } from './network/client-connection.ts'
import { FramePool } from './network/frame-pool.ts'
import { RequestMemory } from './network/request-memory.ts'
import { logConfigOf } from './topics/log-config.ts'
import { readMetadataFile } from './topics/metadata-file.ts'
import { TopicRegistry } from './topics/topic-registry.ts'

/** How long a stop waits for requests that were begun. */
const DRAIN_MAX_MS = 5000
const MINUTE_MS = 60_000
/** How often is looked whether __consumer_offsets has grown. */
const TRIM_CHECK_MS = 30_000
/** Buffers of requests that are kept to be used again. */
const POOL_BYTES = 16 << 20
/** Every connection is read into this one buffer, whose content is copied into the request it belongs to. */
const RECEIVE_BUFFER_BYTES = 256 << 10

export interface BrokerOptions {
  /** Kafka's server.properties as key and value. */
  readonly config: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly net: Net
  readonly logger: Logger
  /** What clients are told for a listener on all interfaces without advertised.listeners; default 127.0.0.1. */
  readonly hostname?: string
}

export interface BrokerMetrics {
  readonly connections: number
  readonly topics: number
  readonly groups: number
  readonly fetchSessions: number
  /** Bytes of requests that are held in memory now. */
  readonly requestBytesHeld: number
  readonly requests: Readonly<Record<string, number>>
}

/** An address the broker listens on, as it turned out. */
export interface BoundListener extends AdvertisedEndpoint {
  readonly name: string
  /** The port that was taken, also where another one is advertised. */
  readonly boundPort: number
}

export interface Broker {
  /** Loads the data directory and listens; rejects when either cannot be done. */
  start(): Promise<void>
  /** The port of the first listener. */
  readonly port: number
  readonly listeners: readonly BoundListener[]
  readonly clusterId: string
  metrics(): BrokerMetrics
  /** Finishes the requests that were begun, saves everything and marks the data directory as cleanly stopped. */
  close(): Promise<void>
}

/** Makes a broker that is not started yet; throws BrokerConfigError when its configuration cannot be used. */
export function createBroker(options: BrokerOptions): Broker {
  return new BrokerServer(options)
}

interface Running {
  readonly services: BrokerServices
  readonly logs: LogManager
  readonly dispatcher: Dispatcher
  readonly memory: RequestMemory
  readonly offsetsTopic: OffsetsTopic
}

class BrokerServer implements Broker {
  readonly #options: BrokerOptions
  readonly #config: BrokerConfig
  readonly #connections = new Set<ClientConnection>()
  readonly #timers = new Set<Timer>()
  #running: Running | undefined
  #listening: { listener: Listener; bound: BoundListener }[] = []
  #nextConnectionId = 1
  #closing: Promise<void> | undefined

  constructor(options: BrokerOptions) {
    this.#options = options
    this.#config = new BrokerConfig(options.config)
  }

  get port(): number {
    return this.#listening[0]?.bound.boundPort ?? 0
  }

  get listeners(): readonly BoundListener[] {
    return this.#listening.map(({ bound }) => bound)
  }

  get clusterId(): string {
    return this.#running?.services.clusterId ?? ''
  }

  metrics(): BrokerMetrics {
    const running = this.#running
    return {
      connections: this.#connections.size,
      topics: running?.services.topics.size ?? 0,
      groups: running?.services.groups.groups.size ?? 0,
      fetchSessions: running?.services.fetchSessions.size ?? 0,
      requestBytesHeld: running?.memory.usedBytes ?? 0,
      requests: Object.fromEntries(running?.dispatcher.counts ?? []),
    }
  }

  async start(): Promise<void> {
    const { logger } = this.#options
    const config = this.#config
    if (config.unknown.length > 0) logger.warn({ keys: config.unknown }, 'configurations that mean nothing here')
    const running = this.#load()
    this.#running = running
    try {
      for (const listener of config.listeners) await this.#listen(running, listener)
    } catch (error) {
      await this.close()
      throw error
    }
    this.#every(config.number('offsets.retention.check.interval.ms'), () => running.services.groups.expire())
    this.#every(TRIM_CHECK_MS, () => running.offsetsTopic.trim(running.services.groups))
    const idleMs = config.number('connections.max.idle.ms')
    if (idleMs > 0) this.#every(Math.min(idleMs, MINUTE_MS), () => this.#closeIdle(idleMs))
    logger.info({ clusterId: running.services.clusterId, listeners: this.listeners }, 'broker started')
  }

  #load(): Running {
    const { clock, random, disk, logger } = this.#options
    const config = this.#config
    const directory = config.dataDirectory
    const metadata = readMetadataFile(disk, directory)
    const clusterId = config.stringOrNull('cluster.id')
    const logs = LogManager.open({
      directory,
      nodeId: config.nodeId,
      ...(clusterId === null ? {} : { clusterId }),
      disk,
      clock,
      random,
      logger,
      configFor: (topic) => logConfigOf(new Map(Object.entries(metadata?.stored.topics[topic]?.configs ?? {})), config),
      retentionCheckMs: config.number('log.retention.check.interval.ms'),
      producerExpirationMs: config.number('producer.id.expiration.ms'),
      // Measured: under load the copies cost a third of the broker's time in garbage collection, while a read from the
      // page cache is as fast as one from ours.
      tailCacheBytes: 0,
    })
    const topics = new TopicRegistry({ disk, directory, random, logger, config, logs, metadata })
    const offsetsTopic = new OffsetsTopic(topics, config, clock)
    const groups = new GroupCoordinator({
      clock,
      random,
      logger,
      offsetsLog: offsetsTopic,
      config: {
        minSessionTimeoutMs: config.number('group.min.session.timeout.ms'),
        maxSessionTimeoutMs: config.number('group.max.session.timeout.ms'),
        initialRebalanceDelayMs: config.number('group.initial.rebalance.delay.ms'),
        maxSize: config.number('group.max.size'),
        connectionLossGraceMs: config.number('group.connect.connection.loss.grace.ms'),
        offsetsRetentionMs: config.number('offsets.retention.minutes') * MINUTE_MS,
      },
    })
    offsetsTopic.load((key, value) => groups.load(key, value))
    groups.loaded()
    const slots = config.number('max.incremental.fetch.session.cache.slots')
    const services: BrokerServices = {
      clock,
      random,
      logger,
      config,
      clusterId: logs.meta.clusterId,
      topics,
      logs,
      groups,
      fetchSessions: new FetchSessions({ clock, random, slots }),
      deadlines: new Deadlines(clock),
      pool: new FramePool(POOL_BYTES),
      apiRanges: API_RANGES,
    }
    const memory = new RequestMemory(config.number('queued.max.request.bytes'))
    return { services, logs, dispatcher: new Dispatcher(services), memory, offsetsTopic }
  }

  async #listen(running: Running, config: ListenerConfig): Promise<void> {
    const { net, hostname = '127.0.0.1' } = this.#options
    // Java's localhost is IPv4; Node may take ::1, where clients of 127.0.0.1 would find nobody.
    const host = config.host === '' ? '0.0.0.0' : config.host === 'localhost' ? '127.0.0.1' : config.host
    const isWildcard = host === '0.0.0.0' || host === '::'
    let endpoint: AdvertisedEndpoint = { host: '', port: 0 }
    const receiveBuffer = Buffer.allocUnsafeSlow(RECEIVE_BUFFER_BYTES)
    const listener = await net.listen({ host, port: config.port, receiveBuffer }, (connection) => {
      this.#accept(running, connection, endpoint)
    })
    endpoint = config.advertised ?? { host: isWildcard ? hostname : config.host, port: listener.port }
    this.#listening.push({ listener, bound: { name: config.name, ...endpoint, boundPort: listener.port } })
  }

  #accept(
    { services, dispatcher, memory }: Running,
    connection: Parameters<Parameters<Net['listen']>[1]>[0],
    advertised: AdvertisedEndpoint,
  ): void {
    const { logger, clock } = this.#options
    if (this.#closing !== undefined || this.#connections.size >= this.#config.number('max.connections')) {
      logger.warn({ client: connection.remoteAddress, open: this.#connections.size }, 'refusing a connection')
      connection.destroy()
      return
    }
    const client = new ClientConnection({
      id: this.#nextConnectionId++,
      advertised,
      connection,
      dispatcher,
      memory,
      pool: services.pool,
      maxFrameBytes: this.#config.number('socket.request.max.bytes'),
      logger,
      now: () => clock.monotonicMs(),
      onClosed: (closed) => {
        this.#connections.delete(closed)
        services.groups.connectionClosed(closed.id)
      },
    })
    this.#connections.add(client)
  }

  #closeIdle(idleMs: number): void {
    const limitMs = this.#options.clock.monotonicMs() - idleMs
    for (const connection of this.#connections) {
      if (connection.lastActiveMs < limitMs && !connection.isBusy) connection.destroy()
    }
  }

  #every(intervalMs: number, action: () => void | Promise<void>): void {
    const { clock, logger } = this.#options
    const timer = clock.setTimer(
      intervalMs,
      () => {
        this.#timers.delete(timer)
        if (this.#closing !== undefined) return
        // An async function turns what is thrown at once into a rejection, too.
        const run = async () => action()
        run()
          .catch((error: unknown) => logger.error({ err: error }, 'periodic work of the broker failed'))
          .finally(() => this.#every(intervalMs, action))
          .catch(() => {})
      },
      { unref: true },
    )
    this.#timers.add(timer)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    for (const timer of this.#timers) timer.cancel()
    const closed = this.#listening.map(({ listener }) => listener.close())
    const { services, logs } = running
    const drained = Promise.all([...this.#connections].map((connection) => connection.drain()))
    // Those who wait for records or for a rebalance are answered now with what there is.
    services.deadlines.fireAll()
    services.groups.releaseWaiting()
    await this.#atMost(DRAIN_MAX_MS, drained)
    // Invariant 9: from here on no request is served, so nothing can be acknowledged after the state is saved.
    for (const connection of this.#connections) connection.end()
    try {
      await services.groups.close()
    } finally {
      await logs.close()
      services.deadlines.close()
      for (const connection of this.#connections) connection.destroy()
      await Promise.all(closed)
      this.#options.logger.info({}, 'broker stopped')
    }
  }

  async #atMost(ms: number, work: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#options.clock.setTimer(ms, () => resolve())
    await Promise.race([work, promise])
    timer.cancel()
  }
}
