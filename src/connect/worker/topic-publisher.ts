import { ConnectError, type TopicPublisher } from '@millrace/sdk'
import { adminConfig, producerConfig } from './client-configs.ts'
import { ensureDeadLetterTopic } from './dead-letter-queue.ts'
import type { LogProducer } from './log-clients.ts'
import type { TaskSetup } from './task-setup.ts'

/** Writes to topics for a sink task; its producer exists from the first record on. */
export function createTopicPublisher(
  { id, environment, connectorConfig }: TaskSetup,
  replicationFactor: number,
): TopicPublisher & Pick<LogProducer, 'close'> {
  const { clients, workerConfig } = environment
  const topics = new Map<string, Promise<void>>()
  let producer: LogProducer | undefined
  const ensure = async (topic: string): Promise<void> => {
    const admin = clients.admin(adminConfig(workerConfig, connectorConfig, id))
    try {
      await ensureDeadLetterTopic(admin, topic, replicationFactor)
    } catch (error) {
      topics.delete(topic)
      throw new ConnectError(`Could not create the topic ${topic}`, { cause: error })
    } finally {
      await admin.close()
    }
  }
  return {
    async publish(record) {
      const { topic } = record
      let known = topics.get(topic)
      if (!known) topics.set(topic, (known = ensure(topic)))
      await known
      producer ??= clients.producer(producerConfig(workerConfig, connectorConfig, id, 'publisher'))
      for (let wait = producer.ready(topic); wait; wait = producer.ready(topic)) await wait
      const batch = producer.append(record)
      await batch.done
      if (batch.state !== 'acked')
        throw new ConnectError(`Could not write to the topic ${topic}`, { cause: batch.error })
    },
    async close(options) {
      await producer?.close(options)
    },
  }
}
