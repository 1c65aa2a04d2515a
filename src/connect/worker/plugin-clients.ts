import {
  type KafkaAdmin,
  KafkaCallError,
  type KafkaClients,
  type KafkaConsumer,
  type KafkaProducer,
  type RawConfig,
} from '@millrace/sdk'
import {
  type Admin,
  allOrThrow,
  createClient,
  consumerOptionsFrom,
  KafkaError,
  producerOptionsFrom,
} from '../../client/index.ts'
import { sharedClientConfig } from './client-configs.ts'
import { type ClientEnvironment, clientOptions } from './client-properties.ts'

/** The clients that a connector or task asked for. */
export interface PluginClients {
  readonly kafka: KafkaClients
  /**
   * Closes what is still open, at once; there are no new ones afterwards.
   * Invariant 4: what is left of a task that was cut off can neither write nor commit.
   */
  close(): Promise<void>
}

/** Clients for the plugin code of one connector or task: of the worker's own cluster unless `bootstrap.servers` names another. */
export function createPluginClients(worker: RawConfig, environment: ClientEnvironment): PluginClients {
  const open = new Set<() => Promise<void>>()
  let closed = false
  const clientFor = (config: RawConfig) => {
    if (closed)
      throw new KafkaCallError('the connector or task has ended', { kafkaCode: 'CLIENT_CLOSED', retriable: false })
    const own = config['bootstrap.servers'] === undefined ? { ...sharedClientConfig(worker), ...config } : config
    return { own, client: translated(() => createClient(clientOptions(own, environment))) }
  }
  /** Remembers how a client is closed until it is. */
  const closing = <A extends readonly unknown[]>(close: (...args: A) => Promise<void>, now: () => Promise<void>) => {
    open.add(now)
    return async (...args: A): Promise<void> => {
      open.delete(now)
      await close(...args)
    }
  }
  return {
    kafka: {
      consumer(config) {
        const { own, client } = clientFor(config)
        const consumer = client.consumer(
          translated(() => consumerOptionsFrom({ ...own, 'enable.auto.commit': 'false' }).options),
        )
        const close = closing(
          () => consumer.close(),
          () => consumer.close({ timeoutMs: 0 }),
        )
        return {
          assign: (partitions) => consumer.assign(partitions),
          seek: (partition, offset) => consumer.seek(partition, offset),
          async poll(timeoutMs, signal) {
            try {
              return await consumer.poll(timeoutMs, signal ? { signal } : {})
            } catch (error) {
              if (signal?.aborted && error === signal.reason) return []
              throw callError(error)
            }
          },
          position: (partition) => calling(consumer.position(partition)),
          endOffsets: (partitions) => calling(consumer.endOffsets(partitions)),
          close,
        } satisfies KafkaConsumer
      },
      producer(config) {
        const { own, client } = clientFor(config)
        const producer = client.producer(translated(() => producerOptionsFrom(own).options))
        const close = closing(
          (timeoutMs?: number) => producer.close(timeoutMs === undefined ? {} : { timeoutMs }),
          () => producer.close({ timeoutMs: 0 }),
        )
        return {
          send: async (record) => (await calling(producer.send({ ...record, headers: [] }))).offset,
          close,
        } satisfies KafkaProducer
      },
      admin(config) {
        const admin = clientFor(config).client.admin()
        const close = closing(
          () => admin.close(),
          () => admin.close(),
        )
        return pluginAdmin(admin, close)
      },
    },
    async close() {
      closed = true
      await Promise.allSettled([...open].map((now) => now()))
      open.clear()
    },
  }
}

function pluginAdmin(admin: Admin, close: () => Promise<void>): KafkaAdmin {
  return {
    async topics() {
      const topics = await calling(admin.topics.list({ listInternal: true }))
      return topics.map(({ name, partitions }) => ({ name, partitions: partitions.length }))
    },
    async createTopic({ name, partitions, replicationFactor, settings }) {
      const topic = { name, numPartitions: partitions, replicationFactor, configs: settings }
      const error = (await calling(admin.topics.create([topic]))).get(name)?.error
      if (error && error.code !== 'TOPIC_ALREADY_EXISTS') throw callError(error)
      return error === undefined
    },
    async raisePartitions(topic, count) {
      const error = (await calling(admin.topics.createPartitions({ [topic]: count }))).get(topic)?.error
      // There are as many already, because somebody else was faster.
      if (error && error.code !== 'INVALID_PARTITIONS') throw callError(error)
    },
    async topicSettings(topics) {
      const found = await calling(admin.configs.describe(topics.map((name) => ({ type: 'topic' as const, name }))))
      return new Map(
        topics.map((topic) => {
          const entry = found.get(`topic:${topic}`)
          if (!entry || entry.error) throw callError(entry?.error ?? new Error(`no settings of topic ${topic}`))
          return [
            topic,
            entry.value.map(({ name, value, isDefault, isReadOnly, isSensitive, source }) => {
              return { name, value, isDefault, isReadOnly, isSensitive, isOfBroker: source === 'STATIC_BROKER_CONFIG' }
            }),
          ] as const
        }),
      )
    },
    async alterTopicSettings(topic, changes) {
      const ops = Object.entries(changes).map(([name, value]) => {
        return value === null ? { name, op: 'delete' as const } : { name, op: 'set' as const, value }
      })
      await calling(admin.configs.incrementalAlter([{ type: 'topic', name: topic, changes: ops }]).then(allOrThrow))
    },
    async topicAcls() {
      try {
        const bindings = await admin.acls.describe('TOPIC')
        return bindings.map(({ resourceName, patternType, principal, host, operation, permission }) => {
          return { topic: resourceName, patternType, principal, host, operation, permission }
        })
      } catch (error) {
        const keepsNone = error instanceof KafkaError && NO_ACLS.has(error.code)
        if (keepsNone) return null
        throw callError(error)
      }
    },
    createTopicAcls: (acls) =>
      calling(
        admin.acls.create(acls.map(({ topic, ...rule }) => ({ ...rule, resourceType: 'TOPIC', resourceName: topic }))),
      ),
    async groups() {
      const groups = await calling(admin.groups.list())
      return groups.map(({ groupId, protocolType }) => ({ groupId, protocolType }))
    },
    async groupState(groupId) {
      const group = (await calling(admin.groups.describe([groupId]))).get(groupId)
      if (group?.error && group.error.code !== 'GROUP_ID_NOT_FOUND') throw callError(group.error)
      return group?.value?.state ?? 'Dead'
    },
    groupOffsets: (groupId) => calling(admin.groups.offsets(groupId)),
    alterGroupOffsets: (groupId, offsets) => calling(admin.groups.alterOffsets(groupId, offsets)),
    close,
  }
}

/** What clusters without rules of access answer, and those whose brokers do not know of them. */
const NO_ACLS: ReadonlySet<string> = new Set(['SECURITY_DISABLED', 'CLIENT_UNSUPPORTED_VERSION'])

async function calling<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw callError(error)
  }
}

function translated<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw callError(error)
  }
}

/** The client's errors as plugins see them; anything else is a mistake of ours and stays what it is. */
function callError(error: unknown): unknown {
  if (!(error instanceof KafkaError)) return error
  return new KafkaCallError(error.message, { cause: error, kafkaCode: error.code, retriable: error.retriable })
}
