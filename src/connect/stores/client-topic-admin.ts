import { type Admin, KafkaError } from '../../client/index.ts'
import type { TopicAdmin } from './internal-topic.ts'

/** The questions about internal topics, asked through the admin client. */
export function createTopicAdmin(admin: Admin): TopicAdmin {
  return {
    async describe(name) {
      const topic = (await admin.topics.describe([name])).get(name)
      if (topic?.error) {
        if (topic.error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return null
        throw topic.error
      }
      if (!topic) return null
      return { partitions: topic.value.partitions.length, cleanupPolicy: await cleanupPolicy(admin, name) }
    },
    async create({ name, partitions, replicationFactor, settings }) {
      const topic = { name, numPartitions: partitions, replicationFactor, configs: settings }
      const created = (await admin.topics.create([topic])).get(name)
      if (created?.error) throw created.error
    },
  }
}

/** A broker that does not let us read configurations is trusted, as Kafka Connect does. */
async function cleanupPolicy(admin: Admin, name: string): Promise<string> {
  const trusted = 'compact'
  const answer = await admin.configs.describe([{ type: 'topic', name, names: ['cleanup.policy'] }])
  const [result] = answer.values()
  if (!result) return trusted
  if (result.error) {
    const refused = result.error instanceof KafkaError && result.error.code.endsWith('AUTHORIZATION_FAILED')
    if (refused || result.error.code === 'UNSUPPORTED_VERSION') return trusted
    throw result.error
  }
  return result.value.find((entry) => entry.name === 'cleanup.policy')?.value ?? trusted
}
