import type { Client } from '../../../src/client/index.ts'
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

/** Where a topic of one partition ends. */
export async function endOf(client: Client, topic: string): Promise<number> {
  const consumer = client.consumer()
  try {
    const [end] = await consumer.endOffsets([{ topic, partition: 0 }])
    return end ?? 0
  } finally {
    await consumer.close()
  }
}

/** The records that a sink connector has committed. */
export async function committedBy(client: Client, connector: string): Promise<number> {
  const admin = client.admin()
  try {
    const offsets = await admin.groups.offsets(`connect-${connector}`)
    return offsets.reduce((sum, { offset }) => sum + offset, 0)
  } finally {
    await admin.close()
  }
}
