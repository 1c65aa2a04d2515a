import { clientOf, type TestCluster } from '../client/clusters.ts'
import { until } from '../worker-harness.ts'

export interface TopicRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

export interface TopicReader {
  /** All records so far. */
  read(): Promise<readonly TopicRecord[]>
  close(): Promise<void>
}

/** Reads a topic of one partition from its start, further with each call. */
export function readTopic(cluster: Pick<TestCluster, 'bootstrapServers'>, topic: string): TopicReader {
  const consumer = clientOf(cluster).consumer({})
  consumer.assign([{ topic, partition: 0 }])
  consumer.seekToBeginning()
  const found: TopicRecord[] = []
  return {
    async read() {
      const [end = 0] = await consumer.endOffsets([{ topic, partition: 0 }])
      await until('the topic is read', async () => {
        if (found.length < end) found.push(...(await consumer.poll(100)))
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
  const records = await reader.read()
  await reader.close()
  return records.map(({ value }) => String(value))
}
