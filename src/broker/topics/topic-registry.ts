import { assert, type Disk, type Logger, type Random } from '../../base/index.ts'
import { type Log, type LogManager, randomId } from '../../log/index.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { effectiveTopicConfig } from '../config/effective-config.ts'
import { topicConfigKey } from '../config/topic-config.ts'
import { logConfigOf } from './log-config.ts'
import {
  type MetadataChange,
  type MetadataFile,
  MetadataStore,
  type StoredMetadata,
  type StoredTopic,
} from './metadata-file.ts'
import { collisionKey, INTERNAL_TOPICS } from './topic-name.ts'

/** Each partition is a directory with open files; more than this in one topic is a mistake. */
export const MAX_PARTITIONS_PER_TOPIC = 10_000

/** How many producer ids one write of the metadata file pays for. */
const PRODUCER_ID_BLOCK = 1000

export interface Topic {
  readonly name: string
  readonly id: string
  readonly isInternal: boolean
  /** One per partition, in their order. */
  readonly logs: Log[]
  /** What was set on the topic, apart from all defaults. */
  configs: ReadonlyMap<string, string>
  /** min.insync.replicas in force; there is one replica, so a larger value refuses acks=all. */
  minInsyncReplicas: number
}

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly configs?: ReadonlyMap<string, string>
}

export interface TopicRegistryOptions {
  readonly disk: Disk
  readonly directory: string
  readonly random: Random
  readonly logger: Logger
  readonly config: BrokerConfig
  readonly logs: LogManager
  /** What was read from the metadata file; undefined when there was none. */
  readonly metadata: MetadataFile | undefined
}

/** The topics of the broker, with what is durable about them. A change is written before it is answered. */
export class TopicRegistry {
  readonly #options: TopicRegistryOptions
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()
  readonly #collisions = new Map<string, string>()
  readonly #deletedTopicIds = new Set<string>()
  readonly #store: MetadataStore
  /** One more with every start, so that consumers notice a log that lost its unsynced end in a crash. */
  readonly leaderEpoch: number
  #brokerConfigs: ReadonlyMap<string, string>
  #defaultBrokerConfigs: ReadonlyMap<string, string>
  #nextProducerId: number
  #reservedProducerIds: number

  constructor(options: TopicRegistryOptions) {
    this.#options = options
    const { disk, directory, metadata, logs } = options
    const stored = metadata?.stored
    this.#store = new MetadataStore(disk, directory, metadata)
    const latest = Math.max(-1, ...[...logs.logs()].map((log) => log.latestEpoch))
    this.leaderEpoch = Math.max(stored?.leaderEpoch ?? -1, latest) + 1
    this.#brokerConfigs = new Map(Object.entries(stored?.brokerConfigs ?? {}))
    this.#defaultBrokerConfigs = new Map(Object.entries(stored?.defaultBrokerConfigs ?? {}))
    this.#reservedProducerIds = stored?.nextProducerId ?? 0
    this.#nextProducerId = this.#reservedProducerIds
    options.config.setDynamic(this.#brokerConfigs, this.#defaultBrokerConfigs)
    this.#restore(stored)
  }

  /** Finishes what a crash interrupted, and takes in directories that the metadata does not know. */
  #restore(stored: StoredMetadata | undefined): void {
    const { logs, logger } = this.#options
    for (const id of stored?.deletedTopicIds ?? []) this.#deletedTopicIds.add(id)
    const found = new Map<string, Log[]>()
    for (const log of logs.logs()) {
      const known = stored?.topics[log.topic]
      if (log.topicId !== undefined && this.#deletedTopicIds.has(log.topicId)) {
        void logs.delete(log.topic, log.partition)
      } else if (known === undefined) {
        found.set(log.topic, [...(found.get(log.topic) ?? []), log])
      }
    }
    for (const [name, topic] of Object.entries(stored?.topics ?? {})) this.#open(name, topic)
    for (const [name, adopted] of found) {
      const partitions = Math.max(...adopted.map((log) => log.partition)) + 1
      const id = adopted.find((log) => log.topicId !== undefined)?.topicId ?? randomId(this.#options.random)
      logger.warn({ topic: name, partitions }, 'taking in a topic that was found in the data directory')
      this.#open(name, { id, partitions, configs: {} })
    }
    this.#deletedTopicIds.clear()
    this.#store.replace(this.#everything())
  }

  #open(name: string, stored: StoredTopic): Topic {
    const { logs, config } = this.#options
    const configs = new Map(Object.entries(stored.configs))
    const topic: Topic = {
      name,
      id: stored.id,
      isInternal: INTERNAL_TOPICS.has(name),
      logs: [],
      configs,
      minInsyncReplicas: minInsyncReplicas(configs, config),
    }
    const logConfig = logConfigOf(configs, config)
    for (let partition = 0; partition < stored.partitions; partition++) {
      const log = logs.get(name, partition)
      topic.logs.push(log ?? logs.create({ topic: name, partition, topicId: stored.id, config: logConfig }))
    }
    this.#byName.set(name, topic)
    this.#byId.set(topic.id, topic)
    this.#collisions.set(collisionKey(name), name)
    return topic
  }

  get(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  getById(id: string): Topic | undefined {
    return this.#byId.get(id)
  }

  log(name: string, partition: number): Log | undefined {
    return this.#byName.get(name)?.logs[partition]
  }

  all(): IterableIterator<Topic> {
    return this.#byName.values()
  }

  get size(): number {
    return this.#byName.size
  }

  /** The existing topic whose name differs from this one only by dots and underscores. */
  collision(name: string): string | undefined {
    return this.#collisions.get(collisionKey(name))
  }

  /** Makes a topic whose name, number of partitions and configs have been found good. */
  create(topic: NewTopic): Topic {
    return this.createAll([topic])[0]!
  }

  /** The same for many at the price of one write. */
  createAll(newTopics: readonly NewTopic[]): Topic[] {
    const topics = new Map<string, StoredTopic>()
    for (const { name, partitions, configs = new Map() } of newTopics) {
      assert(!this.#byName.has(name) && !topics.has(name), `topic ${name} exists`)
      assert(partitions > 0 && partitions <= MAX_PARTITIONS_PER_TOPIC, `topic ${name} with ${partitions} partitions`)
      topics.set(name, { id: randomId(this.#options.random), partitions, configs: Object.fromEntries(configs) })
    }
    if (topics.size === 0) return []
    // The metadata first: a crash in between leaves topics whose missing directories the next start makes.
    this.#save({ topics: Object.fromEntries(topics) })
    return [...topics].map(([name, stored]) => {
      const topic = this.#open(name, stored)
      this.#options.logger.info({ topic: name, partitions: stored.partitions }, 'topic created')
      return topic
    })
  }

  addPartitions(name: string, count: number): void {
    const topic = this.#byName.get(name)!
    assert(count > topic.logs.length, `topic ${name} cannot shrink to ${count} partitions`)
    this.#save({ topics: { [name]: { ...storedTopic(topic), partitions: count } } })
    const config = logConfigOf(topic.configs, this.#options.config)
    for (let partition = topic.logs.length; partition < count; partition++) {
      topic.logs.push(this.#options.logs.create({ topic: name, partition, topicId: topic.id, config }))
    }
  }

  /** Takes topics out of service at once, at the price of one write; resolves when their directories are out of the way. */
  async deleteAll(names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    const topics = names.map((name) => this.#byName.get(name)!)
    this.#save({
      topics: Object.fromEntries(names.map((name) => [name, null])),
      deletedTopicIds: [...this.#deletedTopicIds, ...topics.map(({ id }) => id)],
    })
    for (const topic of topics) {
      this.#byName.delete(topic.name)
      this.#byId.delete(topic.id)
      this.#collisions.delete(collisionKey(topic.name))
      this.#deletedTopicIds.add(topic.id)
    }
    const { logs, logger } = this.#options
    await Promise.all(topics.flatMap((topic) => topic.logs.map((log) => logs.delete(topic.name, log.partition))))
    for (const topic of topics) {
      // The directories are renamed: a later write need not name the topic any more.
      this.#deletedTopicIds.delete(topic.id)
      logger.info({ topic: topic.name }, 'topic deleted')
    }
  }

  /** Replaces what is set on a topic. */
  setConfigs(name: string, configs: ReadonlyMap<string, string>): void {
    const topic = this.#byName.get(name)!
    this.#save({ topics: { [name]: { ...storedTopic(topic), configs: Object.fromEntries(configs) } } })
    topic.configs = configs
    this.#applyConfigs(topic)
  }

  /** What was set on this broker while it ran. */
  get brokerConfigs(): ReadonlyMap<string, string> {
    return this.#brokerConfigs
  }

  /** What was set as the default of all brokers while it ran. */
  get defaultBrokerConfigs(): ReadonlyMap<string, string> {
    return this.#defaultBrokerConfigs
  }

  setBrokerConfigs(configs: ReadonlyMap<string, string>): void {
    this.#save({ brokerConfigs: Object.fromEntries(configs) })
    this.#brokerConfigs = configs
    this.#applyBrokerConfigs()
  }

  setDefaultBrokerConfigs(configs: ReadonlyMap<string, string>): void {
    this.#save({ defaultBrokerConfigs: Object.fromEntries(configs) })
    this.#defaultBrokerConfigs = configs
    this.#applyBrokerConfigs()
  }

  #applyBrokerConfigs(): void {
    this.#options.config.setDynamic(this.#brokerConfigs, this.#defaultBrokerConfigs)
    for (const topic of this.#byName.values()) this.#applyConfigs(topic)
  }

  #applyConfigs(topic: Topic): void {
    const { config, logs } = this.#options
    topic.minInsyncReplicas = minInsyncReplicas(topic.configs, config)
    logs.updateConfig(topic.name, logConfigOf(topic.configs, config))
  }

  /** A producer id that was never given out before, also not before a crash. */
  nextProducerId(): number {
    if (this.#nextProducerId === this.#reservedProducerIds) {
      this.#reservedProducerIds += PRODUCER_ID_BLOCK
      this.#save({ nextProducerId: this.#reservedProducerIds })
    }
    return this.#nextProducerId++
  }

  /** Makes the names of new directories durable. */
  syncNames(): Promise<void> {
    return this.#options.logs.syncNames()
  }

  #save(change: MetadataChange): void {
    this.#store.change(change, () => {
      const { topics: changed = {}, ...others } = change
      const everything = this.#everything()
      const topics = Object.entries({ ...everything.topics, ...changed }).filter(([, topic]) => topic !== null)
      return { ...everything, ...others, topics: Object.fromEntries(topics) as Record<string, StoredTopic> }
    })
  }

  #everything(): StoredMetadata {
    return {
      leaderEpoch: this.leaderEpoch,
      nextProducerId: this.#reservedProducerIds,
      brokerConfigs: Object.fromEntries(this.#brokerConfigs),
      defaultBrokerConfigs: Object.fromEntries(this.#defaultBrokerConfigs),
      topics: Object.fromEntries([...this.#byName].map(([name, topic]) => [name, storedTopic(topic)])),
      deletedTopicIds: [...this.#deletedTopicIds],
    }
  }
}

function storedTopic(topic: Topic): StoredTopic {
  return { id: topic.id, partitions: topic.logs.length, configs: Object.fromEntries(topic.configs) }
}

function minInsyncReplicas(configs: ReadonlyMap<string, string>, broker: BrokerConfig): number {
  return Number(effectiveTopicConfig(topicConfigKey('min.insync.replicas')!, configs, broker).value)
}
