import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apis, ErrorCode } from '../../../src/protocol/index.ts'
import { batchLastOffset, setBatchOffset, setLogAppendTime } from '../../../src/record/index.ts'
import { BrokerUnderTest, fetchOne, produce, produceValues, valuesOf } from './broker-under-test.ts'
import { batchOf, type RawClient } from './raw-client.ts'

let broker: BrokerUnderTest
let client: RawClient

beforeAll(async () => {
  broker = await BrokerUnderTest.start()
  client = await broker.connect()
})
afterAll(() => broker[Symbol.asyncDispose]())

describe('Produce', () => {
  test('records come back as they were sent, at the offsets that were answered', async () => {
    await broker.createTopic('plain')
    const first = await produceValues(client, 'plain', ['a', 'b'])
    const second = await produceValues(client, 'plain', ['c'])
    expect([first.errorCode, first.baseOffset, second.baseOffset]).toEqual([0, 0, 2])
    expect(first.logStartOffset).toBe(0)
    const fetched = await fetchOne(client, 'plain', 0)
    expect(valuesOf(fetched.records)).toEqual(['a', 'b', 'c'])
    expect(fetched.highWatermark).toBe(3)
    expect(fetched.abortedTransactions).toBeNull()
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('a %s batch is stored as it is', async (codec) => {
    await broker.createTopic(`codec-${codec}`)
    const batch = batchOf(['x'.repeat(1000), 'y'], { codec })
    await produce(client, `codec-${codec}`, Buffer.from(batch))
    const { records } = await fetchOne(client, `codec-${codec}`, 0)
    const expected = Buffer.from(batch)
    setBatchOffset(expected, 0, records!.readInt32BE(12))
    expect(records!.equals(expected)).toBe(true)
  })

  test('what is wrong with a batch is answered with its own error', async () => {
    await broker.createTopic('wrong', 1, { 'max.message.bytes': '2000' })
    const code = async (records: Buffer | null, options = {}) =>
      (await produce(client, 'wrong', records, options)).errorCode
    const corrupt = batchOf(['a'])
    corrupt[corrupt.length - 1]! ^= 1
    const oldMagic = batchOf(['a'])
    oldMagic[16] = 1
    const appendTime = batchOf(['a'])
    setLogAppendTime(appendTime, Date.now())
    expect(await code(corrupt)).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(await code(oldMagic)).toBe(ErrorCode.INVALID_RECORD)
    expect(await code(appendTime)).toBe(ErrorCode.INVALID_TIMESTAMP)
    expect(await code(null)).toBe(ErrorCode.INVALID_RECORD)
    expect(await code(Buffer.concat([batchOf(['a']), batchOf(['b'])]))).toBe(ErrorCode.INVALID_RECORD)
    expect(await code(batchOf(['a'], { control: true }))).toBe(ErrorCode.INVALID_RECORD)
    expect(await code(batchOf(['a'], { transactional: true, producerId: 1, producerEpoch: 0, baseSequence: 0 }))).toBe(
      ErrorCode.INVALID_TXN_STATE,
    )
    expect(await code(batchOf(['x'.repeat(3000)]))).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    expect(await code(batchOf(['a'], { codec: 'zstd' }), { version: 6 })).toBe(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
    expect(await code(batchOf([{ value: 'a', timestamp: Date.now() + 7_200_000 }]))).toBe(ErrorCode.INVALID_TIMESTAMP)
    expect(await code(batchOf(['a']), { acks: 2 })).toBe(ErrorCode.INVALID_REQUIRED_ACKS)
    expect(await code(batchOf(['a']), { partition: 7 })).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect((await produce(client, 'no-such-topic', batchOf(['a']))).errorCode).toBe(
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    )
    // Nothing of all that got in.
    expect((await fetchOne(client, 'wrong', 0)).highWatermark).toBe(0)
  })

  test('a keyless record to a compacted topic names the record', async () => {
    await broker.createTopic('compacted', 1, { 'cleanup.policy': 'compact' })
    const answer = await produceValues(client, 'compacted', [{ key: 'k', value: 'v' }, { value: 'no key' }])
    expect(answer.errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(answer.recordErrors.map((error) => error.batchIndex)).toEqual([1])
    expect((await produceValues(client, 'compacted', [{ key: 'k', value: 'v' }])).errorCode).toBe(ErrorCode.NONE)
  })

  test('min.insync.replicas above one refuses acks=all and only that', async () => {
    await broker.createTopic('isr', 1, { 'min.insync.replicas': '2' })
    expect((await produce(client, 'isr', batchOf(['a']))).errorCode).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect((await produce(client, 'isr', batchOf(['a']), { acks: 1 })).errorCode).toBe(ErrorCode.NONE)
  })

  test('a duplicate of an idempotent producer gets its first offsets, a gap error 45', async () => {
    await broker.createTopic('idempotent')
    const { producerId, producerEpoch } = await client.call(apis.initProducerId, 4, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
    })
    const send = (value: string, baseSequence: number) =>
      produce(client, 'idempotent', batchOf([value], { producerId, producerEpoch, baseSequence }))
    expect((await send('a', 0)).baseOffset).toBe(0)
    expect((await send('b', 1)).baseOffset).toBe(1)
    const again = await send('a', 0)
    expect([again.errorCode, again.baseOffset]).toEqual([ErrorCode.NONE, 0])
    expect((await send('d', 3)).errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect((await fetchOne(client, 'idempotent', 0)).highWatermark).toBe(2)
  })

  test('topics are addressed by id from version 13 on', async () => {
    const topicId = await broker.createTopic('by-id')
    const call = (id: string) =>
      client.call(apis.produce, 13, {
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ topicId: id, partitionData: [{ index: 0, records: batchOf(['a']) }] }],
      })
    expect((await call(topicId)).responses[0]!.partitionResponses[0]!.errorCode).toBe(ErrorCode.NONE)
    const unknown = (await call('AAAAAAAAAAAAAAAAAAAAAQ')).responses[0]!
    expect(unknown.partitionResponses[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
    expect(unknown.topicId).toBe('AAAAAAAAAAAAAAAAAAAAAQ')
  })

  test('without a leader hint the answer says -1, not node 0', async () => {
    const answer = await produce(client, 'plain', batchOf(['hint']), { version: 10 })
    expect(answer.currentLeader).toEqual({ leaderId: -1, leaderEpoch: -1 })
  })

  test('acks=0 leaves no hole in the order of answers', async () => {
    await broker.createTopic('acks0')
    const topicData = [{ name: 'acks0', partitionData: [{ index: 0, records: batchOf(['silent']) }] }]
    client.send(apis.produce, 9, { acks: 0, timeoutMs: 1000, topicData })
    const fetched = await fetchOne(client, 'acks0', 0, { maxWaitMs: 600_000 })
    expect(valuesOf(fetched.records)).toEqual(['silent'])
  })

  test('a refused acks=0 closes the connection, the only way to tell', async () => {
    const other = await broker.connect()
    const topicData = [{ name: 'no-such-topic', partitionData: [{ index: 0, records: batchOf(['x']) }] }]
    other.send(apis.produce, 9, { acks: 0, timeoutMs: 1000, topicData })
    await other.closed
  })

  test('clients cannot write to __consumer_offsets', async () => {
    await client.call(apis.offsetCommit, 8, {
      groupId: 'any',
      topics: [{ name: 'plain', partitions: [{ partitionIndex: 0, committedOffset: 1 }] }],
    })
    const answer = await produceValues(client, '__consumer_offsets', [{ key: 'k', value: 'v' }])
    expect(answer.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
  })

  test('requests that follow each other without waiting are answered in their order', async () => {
    await broker.createTopic('order')
    const sent: number[] = []
    for (let i = 0; i < 40; i++) {
      const topicData = [{ name: 'order', partitionData: [{ index: 0, records: batchOf([`v${i}`]) }] }]
      sent.push(client.send(apis.produce, 9, { acks: i % 3 === 0 ? 1 : -1, timeoutMs: 1000, topicData }))
      if (i % 10 === 9) sent.push(client.send(apis.produce, 9, { acks: -1, timeoutMs: 1000, topicData: [] }))
    }
    const answered: number[] = []
    for (const _ of sent) answered.push((await client.receive(apis.produce, 9)).correlationId)
    expect(answered).toEqual(sent)
    const fetched = await fetchOne(client, 'order', 0)
    expect(valuesOf(fetched.records)).toEqual(Array.from({ length: 40 }, (_, i) => `v${i}`))
  })
})

describe('Fetch', () => {
  test('an offset inside a batch is answered with that batch', async () => {
    await broker.createTopic('inside')
    await produceValues(client, 'inside', ['a', 'b', 'c'])
    const fetched = await fetchOne(client, 'inside', 2)
    expect(valuesOf(fetched.records)).toEqual(['a', 'b', 'c'])
    expect(batchLastOffset(fetched.records!, 0)).toBe(2)
  })

  test('at least one batch comes even when it is larger than allowed', async () => {
    await broker.createTopic('large')
    await produceValues(client, 'large', ['x'.repeat(5000)])
    await produceValues(client, 'large', ['y'.repeat(5000)])
    const fetched = await fetchOne(client, 'large', 0, { maxBytes: 100, partitionMaxBytes: 100 })
    expect(valuesOf(fetched.records).map((value) => value.length)).toEqual([5000])
  })

  test('outside of the log is 1, the end of the log is empty', async () => {
    await broker.createTopic('ends')
    await produceValues(client, 'ends', ['a'])
    expect((await fetchOne(client, 'ends', 5)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    const atEnd = await fetchOne(client, 'ends', 1)
    expect([atEnd.errorCode, atEnd.records?.length ?? 0]).toEqual([ErrorCode.NONE, 0])
  })

  test('waits for records and is woken by them', async () => {
    await broker.createTopic('waits')
    const reader = await broker.connect()
    const waiting = fetchOne(reader, 'waits', 0, { maxWaitMs: 600_000 })
    await produceValues(client, 'waits', ['now'])
    expect(valuesOf((await waiting).records)).toEqual(['now'])
  })

  test('waits until min.bytes are there', async () => {
    await broker.createTopic('minimum')
    const reader = await broker.connect()
    const waiting = fetchOne(reader, 'minimum', 0, { maxWaitMs: 600_000, minBytes: 400 })
    for (let i = 0; i < 5; i++) await produceValues(client, 'minimum', ['x'.repeat(50)])
    const fetched = await waiting
    expect(fetched.records!.length).toBeGreaterThanOrEqual(400)
  })

  test('an error is told at once, whatever max.wait says', async () => {
    const answer = await fetchOne(client, 'no-such-topic', 0, { maxWaitMs: 600_000 })
    expect(answer.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  test('after max.wait an empty answer comes', async () => {
    await broker.createTopic('silent')
    const answer = await fetchOne(client, 'silent', 0, { maxWaitMs: 50 })
    expect([answer.errorCode, answer.highWatermark]).toEqual([ErrorCode.NONE, 0])
  })

  test('zstd cannot be carried before version 10', async () => {
    const answer = await fetchOne(client, 'codec-zstd', 0, { version: 9 })
    expect(answer.errorCode).toBe(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
  })

  test('read_committed gets an empty list of aborted transactions', async () => {
    const answer = await fetchOne(client, 'plain', 0, { isolationLevel: 1 })
    expect(answer.abortedTransactions).toEqual([])
    expect(answer.lastStableOffset).toBe(answer.highWatermark)
  })

  test('a leader epoch that is not ours is fenced', async () => {
    const ask = (currentLeaderEpoch: number) =>
      client.call(apis.fetch, 12, {
        maxWaitMs: 0,
        minBytes: 1,
        sessionEpoch: -1,
        topics: [{ topic: 'plain', partitions: [{ partition: 0, fetchOffset: 0, currentLeaderEpoch }] }],
      })
    expect((await ask(99)).responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH)
    expect((await ask(0)).responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NONE)
  })
})

describe('fetch sessions (KIP-227)', () => {
  const partition = (fetchOffset: number) => ({ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 })

  test('a session answers only what is new', async () => {
    const topicId = await broker.createTopic('session')
    const other = await broker.createTopic('session-other')
    const ask = (request: object) =>
      client.call(apis.fetch, 17, { maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, ...request })
    const topics = [topicId, other].map((id) => ({ topicId: id, partitions: [partition(0)] }))
    const full = await ask({ sessionId: 0, sessionEpoch: 0, topics })
    expect(full.sessionId).toBeGreaterThan(0)
    expect(full.responses).toHaveLength(2)
    const { sessionId } = full
    expect((await ask({ sessionId, sessionEpoch: 1 })).responses).toEqual([])
    await produceValues(client, 'session-other', ['news'])
    const news = await ask({ sessionId, sessionEpoch: 2 })
    expect(news.responses.map((topic) => topic.topicId)).toEqual([other])
    expect(valuesOf(news.responses[0]!.partitions[0]!.records)).toEqual(['news'])
    const moved = { sessionId, sessionEpoch: 3, topics: [{ topicId: other, partitions: [partition(1)] }] }
    expect((await ask(moved)).responses).toEqual([])
    expect((await ask({ sessionId, sessionEpoch: 3 })).errorCode).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    expect((await ask({ sessionId: sessionId + 1, sessionEpoch: 1 })).errorCode).toBe(
      ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
    )
    const forgotten = { sessionId, sessionEpoch: 4, forgottenTopicsData: [{ topicId: other, partitions: [0] }] }
    await ask(forgotten)
    await produceValues(client, 'session-other', ['more'])
    expect((await ask({ sessionId, sessionEpoch: 5 })).responses).toEqual([])
    await ask({ sessionId, sessionEpoch: -1 })
    expect((await ask({ sessionId, sessionEpoch: 6 })).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  })

  test('a topic that was created again is another one for the session', async () => {
    const topicId = await broker.createTopic('again')
    await produceValues(client, 'again', ['old'])
    const ask = (request: object) =>
      client.call(apis.fetch, 17, { maxWaitMs: 0, minBytes: 1, maxBytes: 1000, ...request })
    const { sessionId } = await ask({ sessionEpoch: 0, topics: [{ topicId, partitions: [partition(1)] }] })
    await client.call(apis.deleteTopics, 6, { topics: [{ name: 'again' }] })
    await broker.createTopic('again')
    const answer = await ask({ sessionId, sessionEpoch: 1 })
    expect(answer.responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
  })

  test('a session of topic ids refuses names and the other way round, and goes on afterwards', async () => {
    const topicId = await broker.createTopic('mixed')
    await produceValues(client, 'mixed', ['first'])
    const ask = (version: number, request: object) =>
      client.call(apis.fetch, version, { maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, ...request })
    const byId = [{ topicId, partitions: [partition(0)] }]
    const byName = [{ topic: 'mixed', partitions: [partition(0)] }]
    for (const [own, other, topics] of [
      [17, 12, byId],
      [12, 17, byName],
    ] as const) {
      const { sessionId } = await ask(own, { sessionEpoch: 0, topics })
      const refused = await ask(other, { sessionId, sessionEpoch: 1 })
      expect([refused.errorCode, refused.responses]).toEqual([ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR, []])
      // Kafka looks at the epoch first: a client that is behind starts anew whatever it sends.
      expect((await ask(other, { sessionId, sessionEpoch: 7 })).errorCode).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
      expect((await ask(other, { sessionId: sessionId ^ 1, sessionEpoch: 1 })).errorCode).toBe(
        ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
      )
      const going = await ask(own, { sessionId, sessionEpoch: 1, topics })
      expect([going.errorCode, going.sessionId]).toEqual([ErrorCode.NONE, sessionId])
      // A full fetch of the other kind takes the place of the session.
      const again = await ask(other, { sessionId, sessionEpoch: 0, topics: other === 17 ? byId : byName })
      expect(again.errorCode).toBe(ErrorCode.NONE)
      expect((await ask(own, { sessionId, sessionEpoch: 2 })).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    }
  })

  test('a topic id that nobody has is error 100 for its partitions, beside those that are there', async () => {
    const topicId = await broker.createTopic('known-id')
    await produceValues(client, 'known-id', ['here'])
    const nobody = 'AAAAAAAAAAAAAAAAAAAAAg'
    const topics = [nobody, topicId].map((id) => ({ topicId: id, partitions: [partition(0)] }))
    // It does not wait for max.wait: an error is news.
    const limits = { maxWaitMs: 600_000, minBytes: 1 << 20, maxBytes: 1 << 20 }
    const full = await client.call(apis.fetch, 17, { ...limits, sessionEpoch: 0, topics })
    const codes = full.responses.map((topic) => [topic.topicId, topic.partitions[0]!.errorCode])
    expect(codes).toEqual([
      [nobody, ErrorCode.UNKNOWN_TOPIC_ID],
      [topicId, ErrorCode.NONE],
    ])
    expect(valuesOf(full.responses[1]!.partitions[0]!.records)).toEqual(['here'])
    const metadata = await client.call(apis.metadata, 12, { topics: [{ topicId: nobody, name: null }] })
    expect(metadata.topics[0]).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_ID, topicId: nobody, name: null })
  })
})
