import { clientOf, type TestCluster } from '../client/clusters.ts'
import { until } from '../worker-harness.ts'

export interface TopicReader {
  /** All values so far, as text. */
  read(): Promise<readonly string[]>
  close(): Promise<void>
}

/** Reads a topic of one partition from its start, further with each call. */
export function readTopic(cluster: Pick<TestCluster, 'bootstrapServers'>, topic: string): TopicReader {
  const consumer = clientOf(cluster).consumer({})
  consumer.assign([{ topic, partition: 0 }])
  consumer.seekToBeginning()
  const found: string[] = []
  return {
    async read() {
      const [end = 0] = await consumer.endOffsets([{ topic, partition: 0 }])
      await until('the topic is read', async () => {
        if (found.length < end) for (const { value } of await consumer.poll(100)) found.push(String(value))
        return found.length >= end
      })
      return found
    },
    close: () => consumer.close(),
  }
}

/** All values of a topic of one partition, as text. */
export async function topicValues(
  cluster: Pick<TestCluster, 'bootstrapServers'>,
  topic: string,
): Promise<readonly string[]> {
  const reader = readTopic(cluster, topic)
  const values = await reader.read()
  await reader.close()
  return values
}
