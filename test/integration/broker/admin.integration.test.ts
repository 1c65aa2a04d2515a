import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apis, ErrorCode } from '../../../src/protocol/index.ts'
import { BrokerUnderTest, fetchOne, produceValues } from './broker-under-test.ts'
import type { RawClient } from './raw-client.ts'

let broker: BrokerUnderTest
let client: RawClient

beforeAll(async () => {
  broker = await BrokerUnderTest.start()
  client = await broker.connect()
})
afterAll(() => broker[Symbol.asyncDispose]())

interface Wanted {
  name: string
  numPartitions?: number
  replicationFactor?: number
  assignments?: { partitionIndex: number; brokerIds: number[] }[]
  configs?: { name: string; value: string | null }[]
}

async function create(topics: Wanted[], validateOnly = false) {
  const full = topics.map((topic) => ({ numPartitions: -1, replicationFactor: -1, ...topic }))
  return (await client.call(apis.createTopics, 7, { topics: full, timeoutMs: 1000, validateOnly })).topics
}

describe('CreateTopics', () => {
  test('defaults, the id and all settings are answered', async () => {
    const [topic] = await create([{ name: 'defaults', configs: [{ name: 'retention.ms', value: '1000' }] }])
    expect(topic).toMatchObject({ errorCode: 0, numPartitions: 1, replicationFactor: 1 })
    expect(topic!.topicId).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(topic!.configs).toHaveLength(33)
    expect(topic!.configs!.find((config) => config.name === 'retention.ms')).toMatchObject({
      value: '1000',
      configSource: 1,
    })
  })

  test.each<[string, Wanted, number]>([
    ['it exists', { name: 'defaults' }, ErrorCode.TOPIC_ALREADY_EXISTS],
    ['no partitions', { name: 'x', numPartitions: 0 }, ErrorCode.INVALID_PARTITIONS],
    ['too many partitions', { name: 'x', numPartitions: 100_000 }, ErrorCode.INVALID_PARTITIONS],
    ['two replicas', { name: 'x', replicationFactor: 2 }, ErrorCode.INVALID_REPLICATION_FACTOR],
    ['no replicas', { name: 'x', replicationFactor: 0 }, ErrorCode.INVALID_REPLICATION_FACTOR],
    ['a slash', { name: 'a/b' }, ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['two dots', { name: '..' }, ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['250 characters', { name: 'x'.repeat(250) }, ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['unknown config', { name: 'x', configs: [{ name: 'no.such', value: '1' }] }, ErrorCode.INVALID_CONFIG],
    ['bad config value', { name: 'x', configs: [{ name: 'retention.ms', value: 'soon' }] }, ErrorCode.INVALID_CONFIG],
    ['null config', { name: 'x', configs: [{ name: 'retention.ms', value: null }] }, ErrorCode.INVALID_CONFIG],
    [
      'assignment to nobody',
      { name: 'x', assignments: [{ partitionIndex: 0, brokerIds: [9] }] },
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    ],
    [
      'assignment with a hole',
      { name: 'x', assignments: [{ partitionIndex: 1, brokerIds: [1] }] },
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    ],
    [
      'assignment and a number',
      { name: 'x', numPartitions: 1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
      ErrorCode.INVALID_REQUEST,
    ],
  ])('%s is refused', async (_, topic, expected) => {
    const [answer] = await create([topic])
    expect(answer!.errorCode).toBe(expected)
    expect(answer!.errorMessage).toBeTruthy()
  })

  test('names that differ by dot and underscore only collide', async () => {
    expect((await create([{ name: 'col.lide' }]))[0]!.errorCode).toBe(ErrorCode.NONE)
    expect((await create([{ name: 'col_lide' }]))[0]!.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
  })

  test('a name given twice is refused once, others are made', async () => {
    const answers = await create([{ name: 'twice' }, { name: 'once' }, { name: 'twice' }])
    expect(answers.map((topic) => [topic.name, topic.errorCode])).toEqual([
      ['twice', ErrorCode.INVALID_REQUEST],
      ['once', ErrorCode.NONE],
    ])
  })

  test('validate only makes nothing', async () => {
    expect((await create([{ name: 'tried' }], true))[0]!.errorCode).toBe(ErrorCode.NONE)
    const { topics } = await client.call(apis.metadata, 12, { topics: [{ name: 'tried' }] })
    expect(topics[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  test('an assignment to this broker gives the partitions', async () => {
    const assignments = [0, 1, 2].map((partitionIndex) => ({ partitionIndex, brokerIds: [1] }))
    expect((await create([{ name: 'assigned', assignments }]))[0]!.numPartitions).toBe(3)
  })
})

describe('DeleteTopics', () => {
  test('by name and by id; unknown ones have their own errors', async () => {
    const byName = await broker.createTopic('del-name')
    const byId = await broker.createTopic('del-id')
    const { responses } = await client.call(apis.deleteTopics, 6, {
      topics: [
        { name: 'del-name' },
        { name: null, topicId: byId },
        { name: 'never' },
        { name: null, topicId: byName.replace(/^./, 'z') },
        { name: 'del-name', topicId: byId },
      ],
      timeoutMs: 1000,
    })
    expect(responses.map((response) => response.errorCode)).toEqual([
      ErrorCode.NONE,
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.UNKNOWN_TOPIC_ID,
      ErrorCode.INVALID_REQUEST,
    ])
    expect(responses[1]!.name).toBe('del-id')
  })

  test('a topic made again is empty, has a new id, and nobody’s committed offsets', async () => {
    const first = await broker.createTopic('phoenix')
    await produceValues(client, 'phoenix', ['old'])
    const commit = {
      groupId: 'p',
      topics: [{ name: 'phoenix', partitions: [{ partitionIndex: 0, committedOffset: 1 }] }],
    }
    await client.call(apis.offsetCommit, 8, commit)
    await client.call(apis.deleteTopics, 1, { topicNames: ['phoenix'], timeoutMs: 1000 })
    const second = await broker.createTopic('phoenix')
    expect(second).not.toBe(first)
    expect((await fetchOne(client, 'phoenix', 0)).highWatermark).toBe(0)
    const { topics } = await client.call(apis.offsetFetch, 7, {
      groupId: 'p',
      topics: [{ name: 'phoenix', partitionIndexes: [0] }],
    })
    expect(topics[0]!.partitions[0]!.committedOffset).toBe(-1)
  })
})

describe('Metadata', () => {
  test('version 0 lists all for an empty list, later ones for null only', async () => {
    const all = await client.call(apis.metadata, 0, { topics: [] })
    expect(all.topics.length).toBeGreaterThan(1)
    expect((await client.call(apis.metadata, 9, { topics: [] })).topics).toEqual([])
    expect((await client.call(apis.metadata, 9, { topics: null })).topics).toHaveLength(all.topics.length)
  })

  test('brokers, cluster id, topic ids, leaders', async () => {
    const topicId = await broker.createTopic('meta', 2)
    const answer = await client.call(apis.metadata, 12, { topics: [{ topicId, name: null }] })
    expect(answer.brokers).toEqual([{ nodeId: 1, host: '127.0.0.1', port: broker.port, rack: null }])
    expect(answer.clusterId).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(answer.topics[0]).toMatchObject({ name: 'meta', topicId, isInternal: false })
    expect(answer.topics[0]!.partitions.map((p) => [p.partitionIndex, p.leaderId, p.isrNodes])).toEqual([
      [0, 1, [1]],
      [1, 1, [1]],
    ])
  })

  test('topics are made on demand only when both sides want it', async () => {
    const ask = (name: string, allowAutoTopicCreation: boolean) =>
      client.call(apis.metadata, 9, { topics: [{ name }], allowAutoTopicCreation })
    expect((await ask('auto', true)).topics[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    await using creating = await BrokerUnderTest.start({ 'auto.create.topics.enable': 'true', 'num.partitions': '3' })
    const other = await creating.connect()
    const decline = await other.call(apis.metadata, 9, { topics: [{ name: 'auto' }], allowAutoTopicCreation: false })
    expect(decline.topics[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const made = await other.call(apis.metadata, 9, { topics: [{ name: 'auto' }], allowAutoTopicCreation: true })
    // With its leader at once: some clients give up on a topic that has none.
    expect(made.topics[0]).toMatchObject({ errorCode: 0, name: 'auto' })
    expect(made.topics[0]!.partitions.map((partition) => partition.leaderId)).toEqual([1, 1, 1])
    const bad = await other.call(apis.metadata, 9, { topics: [{ name: 'a b' }], allowAutoTopicCreation: true })
    expect(bad.topics[0]!.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
  })
})

describe('configs', () => {
  const describeTopic = async (name: string, keys: string[] | null = null) =>
    (
      await client.call(apis.describeConfigs, 4, {
        resources: [{ resourceType: 2, resourceName: name, configurationKeys: keys }],
        includeSynonyms: true,
        includeDocumentation: true,
      })
    ).results[0]!

  test('a topic has the 33 names of Kafka 4.3 with type, source, synonyms and documentation', async () => {
    await broker.createTopic('configs', 1, { 'cleanup.policy': 'compact' })
    const { configs } = await describeTopic('configs')
    expect(configs).toHaveLength(33)
    expect(configs.every((config) => (config.documentation ?? '').length > 20 && !config.readOnly)).toBe(true)
    const policy = configs.find((config) => config.name === 'cleanup.policy')!
    expect(policy).toMatchObject({ value: 'compact', configSource: 1, configType: 7, isSensitive: false })
    expect(policy.synonyms).toEqual([
      { name: 'cleanup.policy', value: 'compact', source: 1 },
      { name: 'log.cleanup.policy', value: 'delete', source: 5 },
    ])
    const retention = configs.find((config) => config.name === 'retention.ms')!
    expect(retention).toMatchObject({ value: '604800000', configSource: 5, configType: 5 })
    // As Kafka shows it: log.retention.hours is told only behind a value of log.retention.ms.
    expect(retention.synonyms).toEqual([])
  })

  test('only the asked names are answered', async () => {
    const { configs } = await describeTopic('configs', ['retention.ms', 'no.such'])
    expect(configs.map((config) => config.name)).toEqual(['retention.ms'])
  })

  test('unknown topics and brokers are refused', async () => {
    expect((await describeTopic('never')).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const { results } = await client.call(apis.describeConfigs, 4, {
      resources: [{ resourceType: 4, resourceName: '77', configurationKeys: null }],
    })
    expect(results[0]!.errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })

  const alter = async (name: string, configs: { name: string; configOperation: number; value: string | null }[]) =>
    (
      await client.call(apis.incrementalAlterConfigs, 1, {
        resources: [{ resourceType: 2, resourceName: name, configs }],
      })
    ).responses[0]!
  const valueOf = async (name: string, key: string) => (await describeTopic(name, [key])).configs[0]!.value

  test('incremental changes touch what they name; append and subtract are for lists', async () => {
    await broker.createTopic('alter', 1, { 'retention.ms': '1000', 'segment.ms': '5000' })
    await alter('alter', [{ name: 'retention.ms', configOperation: 0, value: '2000' }])
    expect([await valueOf('alter', 'retention.ms'), await valueOf('alter', 'segment.ms')]).toEqual(['2000', '5000'])
    await alter('alter', [{ name: 'cleanup.policy', configOperation: 2, value: 'compact' }])
    expect(await valueOf('alter', 'cleanup.policy')).toBe('delete,compact')
    await alter('alter', [{ name: 'cleanup.policy', configOperation: 3, value: 'delete' }])
    expect(await valueOf('alter', 'cleanup.policy')).toBe('compact')
    await alter('alter', [{ name: 'segment.ms', configOperation: 1, value: null }])
    expect(await valueOf('alter', 'segment.ms')).toBe('604800000')
    const append = await alter('alter', [{ name: 'retention.ms', configOperation: 2, value: '1' }])
    expect(append.errorCode).toBe(ErrorCode.INVALID_CONFIG)
    const bad = await alter('alter', [{ name: 'compression.type', configOperation: 0, value: 'zip' }])
    expect([bad.errorCode, bad.errorMessage]).toEqual([
      ErrorCode.INVALID_CONFIG,
      expect.stringContaining('compression.type'),
    ])
  })

  test('AlterConfigs replaces everything that was set', async () => {
    await broker.createTopic('replace', 1, { 'retention.ms': '1000', 'segment.ms': '5000' })
    const configs = [{ name: 'retention.ms', value: '3000' }]
    const request = { resources: [{ resourceType: 2, resourceName: 'replace', configs }] }
    await client.call(apis.alterConfigs, 2, request)
    expect([await valueOf('replace', 'retention.ms'), await valueOf('replace', 'segment.ms')]).toEqual([
      '3000',
      '604800000',
    ])
  })

  test('a changed setting is obeyed at once', async () => {
    await broker.createTopic('obey')
    await alter('obey', [{ name: 'max.message.bytes', configOperation: 0, value: '100' }])
    expect((await produceValues(client, 'obey', ['x'.repeat(200)])).errorCode).toBe(ErrorCode.MESSAGE_TOO_LARGE)
  })
})

describe('configs of brokers', () => {
  const SET = 0
  const DELETE = 1
  const ofBroker = async (name: string, key: string) => {
    const { results } = await client.call(apis.describeConfigs, 4, {
      resources: [{ resourceType: 4, resourceName: name, configurationKeys: [key] }],
      includeSynonyms: true,
    })
    const [config] = results[0]!.configs
    return config && [config.value, ...config.synonyms.map(({ source, value }) => `${source}:${value}`)]
  }
  const alter = async (resourceName: string, configOperation: number, values: Record<string, string | null>) => {
    const configs = Object.entries(values).map(([name, value]) => ({ name, configOperation, value }))
    const request = { resources: [{ resourceType: 4, resourceName, configs }] }
    expect((await client.call(apis.incrementalAlterConfigs, 1, request)).responses[0]!.errorCode).toBe(ErrorCode.NONE)
  }

  test('what is set on a broker hides the default of all brokers; deleting it shows that again, also after a restart', async () => {
    await broker.createTopic('levels')
    const key = 'message.max.bytes'
    const send = async () => (await produceValues(client, 'levels', ['x'.repeat(500)])).errorCode
    await alter('', SET, { [key]: '300' })
    expect(await ofBroker('', key)).toEqual(['300', '3:300'])
    expect(await ofBroker('1', key)).toEqual(['300', '3:300', '5:1048588'])
    expect(await send()).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    await alter('1', SET, { [key]: '5000' })
    expect(await ofBroker('', key)).toEqual(['300', '3:300'])
    expect(await ofBroker('1', key)).toEqual(['5000', '2:5000', '3:300', '5:1048588'])
    expect(await send()).toBe(ErrorCode.NONE)
    client.close()
    await broker.restart()
    client = await broker.connect()
    expect(await ofBroker('1', key)).toEqual(['5000', '2:5000', '3:300', '5:1048588'])
    await alter('1', DELETE, { [key]: null })
    expect(await ofBroker('1', key)).toEqual(['300', '3:300', '5:1048588'])
    expect(await send()).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    await alter('', DELETE, { [key]: null })
    expect(await ofBroker('', key)).toBeUndefined()
    expect(await send()).toBe(ErrorCode.NONE)
  })
})

describe('the rest', () => {
  test('CreatePartitions only grows', async () => {
    await broker.createTopic('grow', 2)
    const grow = async (name: string, count: number, validateOnly = false) =>
      (await client.call(apis.createPartitions, 3, { topics: [{ name, count, assignments: null }], validateOnly }))
        .results[0]!.errorCode
    expect(await grow('grow', 2)).toBe(ErrorCode.INVALID_PARTITIONS)
    expect(await grow('never', 2)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await grow('grow', 4, true)).toBe(ErrorCode.NONE)
    expect(await grow('grow', 3)).toBe(ErrorCode.NONE)
    const { topics } = await client.call(apis.metadata, 9, { topics: [{ name: 'grow' }] })
    expect(topics[0]!.partitions).toHaveLength(3)
    expect((await client.call(apis.createPartitions, 3, { topics: [] })).results).toEqual([])
  })

  test('DeleteRecords moves the start, refuses what is beyond the end and compacted topics', async () => {
    await broker.createTopic('delrec')
    await produceValues(client, 'delrec', ['a', 'b', 'c'])
    const remove = async (name: string, offset: number) =>
      (await client.call(apis.deleteRecords, 2, { topics: [{ name, partitions: [{ partitionIndex: 0, offset }] }] }))
        .topics[0]!.partitions[0]!
    expect(await remove('delrec', 2)).toMatchObject({ errorCode: 0, lowWatermark: 2 })
    expect((await remove('delrec', 9)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect((await remove('never', 0)).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect((await fetchOne(client, 'delrec', 0)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(await remove('delrec', -1)).toMatchObject({ errorCode: 0, lowWatermark: 3 })
    await broker.createTopic('delrec-compact', 1, { 'cleanup.policy': 'compact' })
    expect((await remove('delrec-compact', 0)).errorCode).toBe(ErrorCode.POLICY_VIOLATION)
  })

  test('ListOffsets: all special timestamps, by time, and nothing found is -1 without an error', async () => {
    await broker.createTopic('times')
    const list = async (timestamp: number, version = 9) => {
      const topics = [{ name: 'times', partitions: [{ partitionIndex: 0, timestamp, currentLeaderEpoch: -1 }] }]
      const answer = await client.call(apis.listOffsets, version, { replicaId: -1, topics })
      const { errorCode, offset, timestamp: found } = answer.topics[0]!.partitions[0]!
      return [errorCode, offset, found]
    }
    expect(await list(0)).toEqual([0, -1, -1])
    expect(await list(-3)).toEqual([0, -1, -1])
    const now = Date.now()
    await produceValues(client, 'times', [
      { value: 'a', timestamp: now - 5000 },
      { value: 'b', timestamp: now - 1000 },
      { value: 'c', timestamp: now - 3000 },
    ])
    expect(await list(-1)).toEqual([0, 3, -1])
    expect(await list(-2)).toEqual([0, 0, -1])
    expect(await list(-3)).toEqual([0, 1, now - 1000])
    expect(await list(-4)).toEqual([0, 0, -1])
    expect(await list(-5)).toEqual([0, -1, -1])
    expect(await list(now - 5000)).toEqual([0, 0, now - 5000])
    expect(await list(now - 4999)).toEqual([0, 1, now - 1000])
    expect(await list(now)).toEqual([0, -1, -1])
    expect(await list(-3, 6)).toEqual([ErrorCode.UNSUPPORTED_VERSION, -1, -1])
  })

  test('OffsetForLeaderEpoch finds where an older epoch ended, and does not know a newer one', async () => {
    await broker.createTopic('epochs')
    await produceValues(client, 'epochs', ['a', 'b'])
    await broker.restart()
    client = await broker.connect()
    await produceValues(client, 'epochs', ['c'])
    const { topics } = await client.call(apis.metadata, 9, { topics: [{ name: 'epochs' }] })
    const { leaderEpoch } = topics[0]!.partitions[0]!
    const end = async (asked: number, currentLeaderEpoch = -1) => {
      const partitions = [{ partition: 0, currentLeaderEpoch, leaderEpoch: asked }]
      const request = { replicaId: -2, topics: [{ topic: 'epochs', partitions }] }
      const answer = await client.call(apis.offsetForLeaderEpoch, 4, request)
      const { errorCode, leaderEpoch: epoch, endOffset } = answer.topics[0]!.partitions[0]!
      return [errorCode, epoch, endOffset]
    }
    expect(await end(leaderEpoch)).toEqual([0, leaderEpoch, 3])
    expect(await end(leaderEpoch - 1)).toEqual([0, leaderEpoch - 1, 2])
    expect(await end(leaderEpoch + 5)).toEqual([0, -1, -1])
    expect(await end(leaderEpoch, leaderEpoch - 1)).toEqual([ErrorCode.FENCED_LEADER_EPOCH, -1, -1])
  })

  test('DescribeTopicPartitions pages through topics by name', async () => {
    await broker.createTopic('page-a', 3)
    await broker.createTopic('page-b', 2)
    const ask = (cursor: { topicName: string; partitionIndex: number } | null, limit = 2) =>
      client.call(apis.describeTopicPartitions, 0, {
        topics: [{ name: 'page-b' }, { name: 'page-a' }],
        responsePartitionLimit: limit,
        cursor,
      })
    const first = await ask(null)
    expect(first.topics.map((topic) => [topic.name, topic.partitions.length])).toEqual([['page-a', 2]])
    expect(first.nextCursor).toEqual({ topicName: 'page-a', partitionIndex: 2 })
    const second = await ask(first.nextCursor)
    expect(second.topics.map((topic) => [topic.name, topic.partitions.length])).toEqual([
      ['page-a', 1],
      ['page-b', 1],
    ])
    const third = await ask(second.nextCursor)
    expect(third.topics.map((topic) => topic.partitions.map((p) => p.partitionIndex))).toEqual([[1]])
    expect(third.nextCursor).toBeNull()
  })

  test('DescribeCluster, DescribeLogDirs, ListPartitionReassignments', async () => {
    const cluster = await client.call(apis.describeCluster, 2, { endpointType: 1 })
    expect(cluster).toMatchObject({ errorCode: 0, controllerId: 1, clusterId: broker.broker.clusterId })
    expect(cluster.brokers).toHaveLength(1)
    const controllers = await client.call(apis.describeCluster, 1, { endpointType: 2 })
    expect(controllers.errorCode).toBe(ErrorCode.MISMATCHED_ENDPOINT_TYPE)
    const asked = { topics: [{ topic: 'times', partitions: [0, 9] }] }
    const { results } = await client.call(apis.describeLogDirs, 4, asked)
    expect(results[0]!.logDir).toBe(broker.directory)
    expect(results[0]!.topics[0]!.partitions).toHaveLength(1)
    expect(results[0]!.topics[0]!.partitions[0]!.partitionSize).toBeGreaterThan(60)
    expect((await client.call(apis.listPartitionReassignments, 0, { topics: null })).topics).toEqual([])
  })

  test('topics, settings and producer ids survive a restart', async () => {
    const topicId = await broker.createTopic('kept', 2, { 'retention.ms': '12345' })
    const pid = async () =>
      (await client.call(apis.initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1 })).producerId
    const before = await pid()
    await broker.restart()
    client = await broker.connect()
    const { topics } = await client.call(apis.metadata, 12, { topics: [{ name: 'kept' }] })
    expect(topics[0]).toMatchObject({ topicId, errorCode: 0 })
    expect(topics[0]!.partitions).toHaveLength(2)
    const { results } = await client.call(apis.describeConfigs, 4, {
      resources: [{ resourceType: 2, resourceName: 'kept', configurationKeys: ['retention.ms'] }],
    })
    expect(results[0]!.configs[0]!.value).toBe('12345')
    expect(await pid()).toBeGreaterThan(before)
    expect(await readFile(join(broker.directory, 'meta.properties'), 'utf8')).toContain(broker.broker.clusterId)
  })
})
