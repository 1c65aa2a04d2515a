// Topics of bytes for tests of mirrors: written by chance of the number, read as a whole.
import { expect } from 'vitest'
import type { Admin, Client, ConsumerRecord, ProducerBatch } from '../../../src/client/index.ts'
import { until } from '../worker-harness.ts'

/** Everything of a topic, by partition. */
export async function recordsOf(client: Client, topic: string): Promise<ConsumerRecord[][]> {
  const admin = client.admin()
  const found = (await admin.topics.describe([topic])).get(topic)
  await admin.close()
  const partitions = (found?.value?.partitions ?? []).map(({ partition }) => ({ topic, partition }))
  if (partitions.length === 0) return []
  const consumer = client.consumer({ autoOffsetReset: 'earliest' })
  try {
    consumer.assign(partitions)
    const ends = await consumer.endOffsets(partitions)
    const records: ConsumerRecord[][] = partitions.map(() => [])
    const isRead = async (): Promise<boolean> => {
      for (const record of await consumer.poll(100)) records[record.partition]?.push(record)
      // One after another: a consumer serves one call at a time.
      for (const [index, partition] of partitions.entries()) {
        if ((await consumer.position(partition)) < (ends[index] ?? 0)) return false
      }
      return true
    }
    await until(`${topic} is read`, isRead)
    return records
  } finally {
    await consumer.close()
  }
}

/** How many there are in all partitions. */
export const countOf = (records: readonly (readonly unknown[])[]): number =>
  records.reduce((sum, { length }) => sum + length, 0)

/** A record as far as a mirror has to keep it. */
export const content = ({ offset, timestamp, key, value, headers }: ConsumerRecord) => ({
  offset,
  timestamp,
  key: key?.toString('hex') ?? null,
  value: value?.toString('hex') ?? null,
  headers: headers.map((header) => [
    header.key,
    header.value === null ? null : Buffer.from(header.value).toString('hex'),
  ]),
})

/** Work with an admin client of its own. */
export async function withAdmin<T>(client: Client, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = client.admin()
  try {
    return await work(admin)
  } finally {
    await admin.close()
  }
}

/** A topic whose partitions have leaders. */
export async function createTopic(
  client: Client,
  name: string,
  numPartitions: number,
  configs: Record<string, string> = {},
): Promise<void> {
  await withAdmin(client, async (admin) => {
    const topic = { name, numPartitions, replicationFactor: 1, configs }
    const created = (await admin.topics.create([topic])).get(name)
    if (created?.error) throw created.error
    // Kafka's broker learns of a topic a moment after its controller has made it.
    await until(`${name} has leaders`, async () => {
      const described = (await admin.topics.describe([name])).get(name)
      return described?.value !== undefined && described.value.partitions.every(({ leader }) => leader >= 0)
    })
  })
}

/** Brokers delete what is older than a week soon after they start, so records must not look old. */
const EPOCH_MS = Date.now() - 3_600_000

/** Bytes that are no text, so that anything but a copy of them shows. */
const bytes = (n: number): Buffer => Buffer.from([0xff, 0x00, n & 0xff, n >> 8, 0xc3, 0x28])

/** Records with the numbers from `from` to before `to`, spread over the partitions: some without key, value or headers. */
export async function produce(
  client: Client,
  topic: string,
  partitions: number,
  from: number,
  to: number,
): Promise<void> {
  const producer = client.producer({ compressionType: 'gzip' })
  const batches = new Set<ProducerBatch>()
  for (let n = from; n < to; n++) {
    const room = producer.ready(topic)
    if (room) await room
    const batch = producer.append({
      topic,
      partition: n % partitions,
      key: n % 7 === 0 ? null : bytes(n),
      value: n % 11 === 0 ? null : Buffer.concat([bytes(n), Buffer.alloc(20, n)]),
      headers:
        n % 3 === 0
          ? [
              { key: 'h', value: bytes(n) },
              { key: 'h', value: null },
            ]
          : [],
      timestamp: EPOCH_MS + n,
    })
    batches.add(batch)
  }
  await producer.flush()
  expect([...batches].filter(({ state }) => state !== 'acked')).toEqual([])
  await producer.close()
}
