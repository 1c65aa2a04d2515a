import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Admin, allOrThrow, type Client } from '../../../src/client/index.ts'
import { clientOf, clusterKinds, eventually, newTopic, type TestCluster } from './clusters.ts'

describe.each(clusterKinds)('admin on $name', (kind) => {
  let cluster: TestCluster
  let client: Client
  let admin: Admin
  beforeAll(async () => {
    if (kind.missing) return
    cluster = await kind.start()
    client = clientOf(cluster)
    admin = client.admin()
  })
  afterAll(async () => {
    await admin?.close()
    await cluster?.stop()
  })

  async function fill(topic: string, count: number): Promise<void> {
    await using producer = client.producer()
    for (let i = 0; i < count; i++) await producer.send({ topic, partition: 0, key: null, value: Buffer.from(`${i}`) })
  }

  test.skipIf(kind.missing)('the cluster describes itself', async () => {
    const { clusterId, controllerId, brokers } = await admin.describeCluster()
    expect(clusterId).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(brokers).toHaveLength(1)
    expect(controllerId).toBe(brokers[0]!.id)
    expect(`${brokers[0]!.host}:${brokers[0]!.port}`).toBe(cluster.bootstrapServers)
  })

  test.skipIf(kind.missing)('topics are created, described, grown and deleted', async () => {
    const made = await admin.topics.create([
      { name: 'one', numPartitions: 2, configs: { 'cleanup.policy': 'compact' } },
      { name: 'two' },
    ])
    expect(allOrThrow(made).toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'one', numPartitions: 2, replicationFactor: 1 },
      { name: 'two', numPartitions: 1, replicationFactor: 1 },
    ])
    const again = (await admin.topics.create([{ name: 'one' }])).get('one')
    expect(again?.error).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' })
    const rf = (await admin.topics.create([{ name: 'three', replicationFactor: 3 }])).get('three')
    expect(rf?.error).toMatchObject({ code: 'INVALID_REPLICATION_FACTOR' })
    const listed = async () => (await admin.topics.list()).filter(({ name }) => name === 'one' || name === 'two').length
    await eventually(listed, 2)
    allOrThrow(await admin.topics.createPartitions({ two: 3 }))
    const described = await admin.topics.describe(['two', 'absent'])
    expect(described.get('two')?.error).toBeUndefined()
    const numbers = async () =>
      allOrThrow(await admin.topics.describe(['two']))[0]!.partitions.map(({ partition }) => partition)
    await eventually(numbers, [0, 1, 2])
    expect(described.get('absent')?.error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    const deleted = await admin.topics.delete(['two', 'absent'])
    expect(deleted.get('two')?.error).toBeUndefined()
    expect(deleted.get('absent')?.error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  test.skipIf(kind.missing)('configurations are read, changed one by one and replaced', async () => {
    const topic = await newTopic(client, 1, { 'retention.ms': '1000000' })
    const own = async () => {
      const [entries] = (await admin.configs.describe([{ type: 'topic', name: topic }])).values()
      const set = (entries?.value ?? []).filter(({ source }) => source === 'DYNAMIC_TOPIC_CONFIG')
      return Object.fromEntries(set.map(({ name, value }) => [name, value]))
    }
    await eventually(own, { 'retention.ms': '1000000' })
    const changes = [
      { name: 'segment.ms', op: 'set' as const, value: '7000000' },
      { name: 'retention.ms', op: 'delete' as const },
      { name: 'cleanup.policy', op: 'append' as const, value: 'compact' },
    ]
    allOrThrow(await admin.configs.incrementalAlter([{ type: 'topic', name: topic, changes }]))
    await eventually(own, { 'segment.ms': '7000000', 'cleanup.policy': 'delete,compact' })
    allOrThrow(await admin.configs.alter([{ type: 'topic', name: topic, configs: { 'max.message.bytes': '5000' } }]))
    await eventually(own, { 'max.message.bytes': '5000' })
    const bad = [
      { type: 'topic' as const, name: topic, changes: [{ name: 'segment.ms', op: 'set' as const, value: 'x' }] },
    ]
    const refused = await admin.configs.incrementalAlter(bad)
    expect(refused.get(`topic:${topic}`)?.error).toMatchObject({ code: 'INVALID_CONFIG' })
  })

  test.skipIf(kind.missing)('offsets are listed and records deleted', async () => {
    const topic = await newTopic(client, 2)
    await fill(topic, 5)
    const at = { topic, partition: 0 }
    const ends = async () =>
      (
        await admin.topics.listOffsets([
          { ...at, timestamp: -2 },
          { ...at, timestamp: -1 },
        ])
      ).map(({ offset }) => offset)
    expect(await ends()).toEqual([0, 5])
    expect(await admin.topics.deleteRecords([{ ...at, offset: 3 }])).toEqual([3])
    expect(await ends()).toEqual([3, 5])
    await expect(admin.topics.deleteRecords([{ ...at, offset: 99 }])).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
    })
  })

  test.skipIf(kind.missing)('offsets of groups are set, read and deleted, and groups deleted', async () => {
    const topic = await newTopic(client, 2)
    const groupId = `admin-${topic}`
    const at = { topic, partition: 0 }
    await admin.groups.alterOffsets(groupId, [
      { ...at, offset: 4, metadata: 'm' },
      { topic, partition: 1, offset: 1 },
    ])
    const offsets = await admin.groups.offsets(groupId)
    expect(offsets.toSorted((a, b) => a.partition - b.partition)).toEqual([
      { ...at, offset: 4, leaderEpoch: -1, metadata: 'm' },
      { topic, partition: 1, offset: 1, leaderEpoch: -1, metadata: '' },
    ])
    expect((await admin.groups.list()).map((group) => group.groupId)).toContain(groupId)
    expect(allOrThrow(await admin.groups.describe([groupId]))).toMatchObject([{ groupId, state: 'Empty', members: [] }])
    await admin.groups.deleteOffsets(groupId, [at])
    expect(await admin.groups.offsets(groupId, [at, { topic, partition: 1 }])).toMatchObject([{ partition: 1 }])
    const deleted = await admin.groups.delete([groupId, 'absent'])
    expect(deleted.get(groupId)?.error).toBeUndefined()
    expect(deleted.get('absent')?.error).toMatchObject({ code: 'GROUP_ID_NOT_FOUND' })
  })

  test.skipIf(kind.missing)('log directories list their partitions', async () => {
    const topic = await newTopic(client)
    await fill(topic, 1)
    const [directory] = await admin.describeLogDirs()
    const replica = directory!.replicas.find((one) => one.topic === topic)
    expect(replica).toMatchObject({ partition: 0, isFuture: false })
    expect(replica!.sizeInBytes).toBeGreaterThan(60)
  })
})
