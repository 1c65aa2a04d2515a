import { consumerOptionsFrom, createClient, producerOptionsFrom, type Topics } from '../../client/index.ts'
import { type ClientEnvironment, clientOptions } from './client-properties.ts'
import type { LogClients } from './log-clients.ts'

const GROUP_TIMEOUT_MS = 5000

/** The clients of tasks over the Kafka protocol; each has connections of its own. */
export function createKafkaClients(environment: ClientEnvironment): LogClients {
  return {
    producer(config, onBatchDone) {
      const options = { ...producerOptionsFrom(config).options, ...(onBatchDone ? { onBatchDone } : {}) }
      return createClient(clientOptions(config, environment)).producer(options)
    },
    consumer(config, subscription, listener) {
      const consumer = createClient(clientOptions(config, environment)).consumer(consumerOptionsFrom(config).options)
      const topics: Topics = subscription.pattern ?? subscription.topics
      consumer.subscribe(topics, listener)
      return {
        async poll(timeoutMs, signal) {
          try {
            return await consumer.poll(timeoutMs, { signal })
          } catch (error) {
            if (signal.aborted && error === signal.reason) return []
            throw error
          }
        },
        position: (partition) => consumer.position(partition),
        seek: (partition, offset) => consumer.seek(partition, offset),
        pause: (partitions) => consumer.pause(partitions),
        resume: (partitions) => consumer.resume(partitions),
        commit: (offsets) => consumer.commit(offsets),
        lag: (partition) => consumer.lag(partition),
        close: (options) => consumer.close(options),
      }
    },
    admin(config) {
      const admin = createClient(clientOptions(config, environment)).admin()
      return {
        async topicExists(name) {
          const found = (await admin.topics.describe([name])).get(name)
          if (found?.error && found.error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw found.error
          return found !== undefined && found.error === undefined
        },
        async createTopic({ name, partitions, replicationFactor, configs }) {
          const created = await admin.topics.create([{ name, numPartitions: partitions, replicationFactor, configs }])
          const error = created.get(name)?.error
          if (error && error.code !== 'TOPIC_ALREADY_EXISTS') throw error
        },
        async removeMembersOf(groupId, clientId) {
          const options = { timeoutMs: GROUP_TIMEOUT_MS }
          const group = (await admin.groups.describe([groupId], options)).get(groupId)?.value
          const members = group?.members.filter((member) => member.clientId === clientId) ?? []
          const ids = members.map(({ memberId }) => ({ memberId }))
          if (ids.length > 0) await admin.groups.removeMembers(groupId, ids, options)
          return ids.length
        },
        close: () => admin.close(),
      }
    },
  }
}
