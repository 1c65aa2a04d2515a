import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client, Consumer, ConsumerRecord, TopicPartition } from '../../../src/client/index.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { clientOf, clusterKinds, newTopic, type TestCluster } from './clusters.ts'

async function read(consumer: Consumer, count: number): Promise<ConsumerRecord[]> {
  const records: ConsumerRecord[] = []
  for (const deadline = Date.now() + DEADLINE_MS; records.length < count; ) {
    if (Date.now() > deadline) throw new Error(`only ${records.length} of ${count} records in time`)
    records.push(...(await consumer.poll(500)))
  }
  return records
}

const texts = (records: readonly ConsumerRecord[]): (string | null)[] =>
  records.map(({ value }) => value && value.toString())

describe.each(clusterKinds)('producer and consumer on $name', (kind) => {
  let cluster: TestCluster
  let client: Client
  beforeAll(async () => {
    if (kind.missing) return
    cluster = await kind.start()
    client = clientOf(cluster)
  })
  afterAll(() => cluster?.stop())

  async function produce(topic: string, values: readonly string[], partition = 0): Promise<void> {
    await using producer = client.producer()
    for (const value of values) {
      for (let wait = producer.ready(topic); wait; wait = producer.ready(topic)) await wait
      producer.append({ topic, partition, key: null, value: Buffer.from(value) })
    }
    await producer.flush()
  }

  function consumerOf(partitions: readonly TopicPartition[], options = {}): Consumer {
    const consumer = client.consumer({ autoOffsetReset: 'earliest', ...options })
    consumer.assign(partitions)
    return consumer
  }

  test.skipIf(kind.missing).each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'records come back as they were sent, compression %s',
    async (compressionType) => {
      const topic = await newTopic(client)
      const producer = client.producer({ compressionType })
      const headers = [
        { key: 'h', value: Buffer.from('x') },
        { key: 'n', value: null },
      ]
      const sent = [
        { key: Buffer.from('k'), value: Buffer.from('v'), headers, timestamp: 1_700_000_000_000 },
        { key: null, value: Buffer.alloc(5000, 7), headers: [], timestamp: 1_700_000_000_500 },
        { key: Buffer.from('tombstone'), value: null, headers: [], timestamp: 1_700_000_000_400 },
        { key: Buffer.alloc(0), value: Buffer.alloc(0), headers: [], timestamp: 1_700_000_000_600 },
      ]
      const results = await Promise.all(sent.map((record) => producer.send({ topic, partition: 0, ...record })))
      expect(results.map(({ offset }) => offset)).toEqual([0, 1, 2, 3])
      await producer.close()
      const consumer = consumerOf([{ topic, partition: 0 }])
      const records = await read(consumer, 4)
      const place = { topic, partition: 0, timestampType: 'CreateTime', leaderEpoch: expect.any(Number) }
      expect(records).toEqual(sent.map((record, offset) => ({ ...place, offset, ...record })))
      await consumer.close()
    },
  )

  test.skipIf(kind.missing)(
    'a record says that the broker set its timestamp, where the topic asks for that',
    async () => {
      const topic = await newTopic(client, 1, { 'message.timestamp.type': 'LogAppendTime' })
      await using producer = client.producer()
      await producer.send({ topic, key: null, value: Buffer.from('v'), timestamp: 1000 })
      await using consumer = consumerOf([{ topic, partition: 0 }])
      const [record] = await read(consumer, 1)
      expect(record?.timestampType).toBe('LogAppendTime')
      expect(record?.timestamp).toBeGreaterThan(1_700_000_000_000)
    },
  )

  test.skipIf(kind.missing)('keys decide the partition as in every Kafka client', async () => {
    const topic = await newTopic(client, 7)
    await using producer = client.producer()
    const send = (key: string) => producer.send({ topic, key: Buffer.from(key), value: null })
    const partitions = await Promise.all(['21', 'foobar', 'abc'].map(send))
    // murmur2 of the keys is -973932308, -790332482 and 479470107.
    const expected = [-973932308, -790332482, 479470107].map((hash) => (hash & 0x7fffffff) % 7)
    expect(partitions.map(({ partition }) => partition)).toEqual(expected)
  })

  test.skipIf(kind.missing)('acks 0, 1 and all arrive', async () => {
    const topic = await newTopic(client)
    for (const acks of [0, 1, 'all'] as const) {
      await using producer = client.producer({ acks })
      const { offset } = await producer.send({ topic, key: null, value: Buffer.from(String(acks)) })
      expect(offset).toBe(acks === 0 ? -1 : acks === 1 ? 1 : 2)
      await producer.close()
    }
    await using consumer = consumerOf([{ topic, partition: 0 }])
    expect(texts(await read(consumer, 3))).toEqual(['0', '1', 'all'])
  })

  test.skipIf(kind.missing)('a batch beyond max.message.bytes fails with the broker’s reason', async () => {
    const topic = await newTopic(client, 1, { 'max.message.bytes': '1000' })
    await using producer = client.producer()
    const sending = producer.send({ topic, key: null, value: Buffer.alloc(5000) })
    await expect(sending).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE', retriable: false })
    await expect(producer.send({ topic, key: null, value: Buffer.from('ok') })).resolves.toMatchObject({ offset: 0 })
  })

  test.skipIf(kind.missing)('many records over several partitions keep the order of each', async () => {
    const topic = await newTopic(client, 3)
    await using producer = client.producer({ batchSize: 4096 })
    const count = 30_000
    for (let i = 0; i < count; i++) {
      for (let wait = producer.ready(topic); wait; wait = producer.ready(topic)) await wait
      producer.append({ topic, partition: i % 3, key: null, value: Buffer.from(String(i)) })
    }
    await producer.flush()
    const partitions = [0, 1, 2].map((partition) => ({ topic, partition }))
    await using consumer = consumerOf(partitions, { maxPartitionFetchBytes: 20_000, fetchMaxBytes: 50_000 })
    const records = await read(consumer, count)
    for (const { partition } of partitions) {
      const own = records.filter((record) => record.partition === partition)
      expect(own.map(({ offset }) => offset)).toEqual(own.map((_, i) => i))
      expect(texts(own)).toEqual(own.map((_, i) => String(i * 3 + partition)))
    }
  })

  test.skipIf(kind.missing)('seek, position and the ends of a partition', async () => {
    const topic = await newTopic(client)
    await produce(topic, ['a', 'b', 'c', 'd'])
    const at = { topic, partition: 0 }
    await using consumer = consumerOf([at])
    expect(await consumer.beginningOffsets([at])).toEqual([0])
    expect(await consumer.endOffsets([at])).toEqual([4])
    consumer.seek(at, 2)
    expect(texts(await read(consumer, 2))).toEqual(['c', 'd'])
    expect(await consumer.position(at)).toBe(4)
    expect(consumer.lag(at)).toBe(0)
    consumer.seekToBeginning()
    expect(texts(await read(consumer, 4))).toEqual(['a', 'b', 'c', 'd'])
    consumer.seekToEnd()
    expect(await consumer.position(at)).toBe(4)
    expect(await consumer.poll(0)).toEqual([])
  })

  test.skipIf(kind.missing)('offsets are found by time', async () => {
    const topic = await newTopic(client)
    await using producer = client.producer()
    for (const timestamp of [1_700_000_000_000, 1_700_000_001_000, 1_700_000_002_000]) {
      await producer.send({ topic, key: null, value: null, timestamp })
    }
    await using consumer = client.consumer()
    const times = [1_700_000_000_500, 1_700_000_002_000, 1_700_000_003_000]
    const found = await consumer.offsetsForTimes(times.map((timestamp) => ({ topic, partition: 0, timestamp })))
    expect(found.map((one) => one && one.offset)).toEqual([1, 2, null])
  })

  test.skipIf(kind.missing)('a position outside the log goes where auto.offset.reset says', async () => {
    const topic = await newTopic(client)
    await produce(topic, ['a', 'b'])
    const at = { topic, partition: 0 }
    await using earliest = consumerOf([at])
    earliest.seek(at, 100)
    expect(texts(await read(earliest, 2))).toEqual(['a', 'b'])
    await using none = consumerOf([at], { autoOffsetReset: 'none' })
    await expect(none.poll(10_000)).rejects.toMatchObject({ code: 'CLIENT_NO_RESET_POLICY' })
    none.seek(at, 1)
    expect(texts(await read(none, 1))).toEqual(['b'])
  })

  test.skipIf(kind.missing)('a paused partition gives nothing until it is resumed', async () => {
    const topic = await newTopic(client, 2)
    const partitions = [0, 1].map((partition) => ({ topic, partition }))
    await produce(topic, ['a'], 0)
    await produce(topic, ['b'], 1)
    await using consumer = consumerOf(partitions)
    consumer.pause([partitions[0]!])
    expect(texts(await read(consumer, 1))).toEqual(['b'])
    expect(await consumer.poll(50)).toEqual([])
    expect(consumer.paused()).toEqual([partitions[0]])
    consumer.resume([partitions[0]!])
    expect(texts(await read(consumer, 1))).toEqual(['a'])
  })

  test.skipIf(kind.missing)('poll ends early when its signal aborts, and gives at most max.poll.records', async () => {
    const topic = await newTopic(client)
    await produce(topic, ['a', 'b', 'c'])
    await using consumer = consumerOf([{ topic, partition: 0 }], { maxPollRecords: 2 })
    const first = await read(consumer, 1)
    expect(first.length).toBeLessThanOrEqual(2)
    await read(consumer, 3 - first.length)
    const abort = new AbortController()
    const polling = consumer.poll(60_000, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(polling).rejects.toThrow('enough')
    expect(await consumer.poll(0)).toEqual([])
  })

  test.skipIf(kind.missing)('committed offsets and their metadata outlive the consumer', async () => {
    const topic = await newTopic(client, 2)
    await produce(topic, ['a', 'b', 'c'])
    const at = { topic, partition: 0 }
    const groupId = `group-of-${topic}`
    const first = consumerOf([at], { groupId, enableAutoCommit: false })
    await read(first, 3)
    await first.commit([{ ...at, offset: 2, metadata: 'note' }])
    await first.close()
    await using second = consumerOf([at], { groupId, enableAutoCommit: false })
    expect(await second.committed([at, { topic, partition: 1 }])).toMatchObject([
      { offset: 2, leaderEpoch: -1, metadata: 'note' },
      null,
    ])
    expect(texts(await read(second, 1))).toEqual(['c'])
    await second.commit()
    const [committed] = await second.committed([at])
    expect(committed).toMatchObject({ offset: 3, metadata: '' })
    expect(committed!.leaderEpoch).toBeGreaterThanOrEqual(0)
    const nowhere = [{ topic: 'no-such-topic', partition: 0, offset: 1 }]
    await expect(second.commit(nowhere)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: false })
  })

  test.skipIf(kind.missing)('producer and consumer go on after the broker was restarted', async () => {
    const topic = await newTopic(client)
    await using producer = client.producer()
    await using consumer = consumerOf([{ topic, partition: 0 }])
    await producer.send({ topic, key: null, value: Buffer.from('before') })
    expect(texts(await read(consumer, 1))).toEqual(['before'])
    const restarting = cluster.restart()
    const during = producer.send({ topic, key: null, value: Buffer.from('during') })
    await restarting
    await during
    await producer.send({ topic, key: null, value: Buffer.from('after') })
    expect(texts(await read(consumer, 2))).toEqual(['during', 'after'])
  })
})
