// Topics that connectors read: made, filled, and how far they are read.
import type { Client, ProducerOptions } from '../../../src/client/index.ts'

export async function createTopic(client: Client, name: string, numPartitions = 1): Promise<void> {
  await using admin = client.admin()
  await admin.topics.create([{ name, numPartitions, replicationFactor: 1 }])
}

export interface NewRecord {
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Writes records, and waits until all are in the log. */
export async function produce(
  client: Client,
  topic: string,
  records: Iterable<NewRecord>,
  options: ProducerOptions = {},
): Promise<void> {
  await using producer = client.producer(options)
  for (const record of records) {
    const room = producer.ready(topic)
    if (room) await room
    producer.append({ ...record, topic, headers: [], timestamp: Date.now() })
  }
  await producer.flush()
}

/** Records of a topic that a sink connector has not committed. */
export async function lagOf(client: Client, connector: string, topic: string, partitions = 1): Promise<number> {
  await using consumer = client.consumer()
  await using admin = client.admin()
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const ends = await consumer.endOffsets(all)
  const committed = await admin.groups.offsets(`connect-${connector}`)
  const at = new Map(committed.map((each) => [`${each.topic}-${each.partition}`, each.offset]))
  return ends.reduce((sum, end, partition) => sum + end - (at.get(`${topic}-${partition}`) ?? 0), 0)
}
