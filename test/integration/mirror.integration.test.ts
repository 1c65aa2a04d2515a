// The three mirror connectors on a real worker, between Millrace and Apache Kafka in each direction.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeCheckpoint, decodeHeartbeat, decodeOffsetSync } from '../../connectors/mirror/wire.ts'
import type { Client, ConsumerRecord } from '../../src/client/index.ts'
import { kafkaMissing, startKafka } from '../services/kafka.ts'
import { type MillraceWorker, startMillraceBroker, startMillraceWorker } from '../services/millrace.ts'
import { clientOf, type TestCluster } from './client/clusters.ts'
import { createConnector, deleteConnector } from '../bench/rest-client.ts'
import { content, countOf, createTopic, produce, recordsOf, withAdmin } from './support/mirror-topics.ts'
import { until } from './worker-harness.ts'

interface Kind {
  readonly name: string
  readonly isMissing: boolean
  start(): Promise<Pick<TestCluster, 'bootstrapServers' | 'stop'>>
}

const millrace: Kind = { name: 'Millrace', isMissing: false, start: () => startMillraceBroker() }
const kafka: Kind = {
  name: 'Apache Kafka 4.3.1',
  isMissing: kafkaMissing('4.3.1') !== null,
  start: () =>
    startKafka({
      properties: {
        // Everybody may do all, and there are rules to copy.
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      },
    }),
}
const pairs = [
  { sourceKind: millrace, targetKind: millrace },
  { sourceKind: kafka, targetKind: millrace },
  { sourceKind: millrace, targetKind: kafka },
]

describe.each(pairs)('mirror from $sourceKind.name to $targetKind.name', ({ sourceKind, targetKind }) => {
  if (sourceKind.isMissing || targetKind.isMissing) {
    test.skip('Kafka is missing', () => undefined)
    return
  }
  let source: Pick<TestCluster, 'bootstrapServers' | 'stop'>
  let target: Pick<TestCluster, 'bootstrapServers' | 'stop'>
  let worker: MillraceWorker
  let from: Client
  let to: Client

  beforeAll(async () => {
    ;[source, target] = await Promise.all([sourceKind.start(), targetKind.start()])
    // Its converters would make base64 in JSON of bytes: those of the mirror come first.
    worker = await startMillraceWorker(target.bootstrapServers, 'mirror', {
      'offset.flush.interval.ms': '500',
      // Tasks that are made anew have stored how far they came, or they would copy some records twice.
      'task.shutdown.graceful.timeout.ms': '60000',
    })
    from = clientOf(source)
    to = clientOf(target)
  })
  afterAll(async () => {
    await worker?.stop()
    await Promise.all([source?.stop(), target?.stop()])
  })

  const common = () => ({
    'source.cluster.alias': 'here',
    'target.cluster.alias': 'there',
    'source.cluster.bootstrap.servers': source.bootstrapServers,
    'target.cluster.bootstrap.servers': target.bootstrapServers,
  })
  const topicsConfig = (topics: string, more: Record<string, string> = {}) => ({
    ...common(),
    'connector.class': 'org.apache.kafka.connect.mirror.MirrorSourceConnector',
    'tasks.max': '3',
    topics,
    'refresh.topics.interval.seconds': '1',
    'sync.topic.configs.interval.seconds': '1',
    'sync.topic.acls.interval.seconds': '1',
    'offset.lag.max': '10',
    ...more,
  })

  test('topics are copied byte for byte, with settings, and partitions that are added', async () => {
    await createTopic(from, 'orders', 3, { 'max.message.bytes': '2000000', 'retention.ms': '-1' })
    await createTopic(from, 'left-out', 1)
    await produce(from, 'orders', 3, 0, 300)
    await createConnector(worker.url, 'topics', topicsConfig('orders, left-.*', { 'topics.exclude': 'left-out' }))
    const copied = async (count: number) => countOf(await recordsOf(to, 'here.orders')) === count
    await until('the first records are copied', () => copied(300))
    const same = async () => {
      const [originals, copies] = [await recordsOf(from, 'orders'), await recordsOf(to, 'here.orders')]
      expect(copies.map((list) => list.map(content))).toEqual(originals.map((list) => list.map(content)))
    }
    await same()
    await withAdmin(from, async (admin) => {
      await admin.topics.createPartitions({ orders: 5 })
      const changes = [
        { name: 'retention.ms', op: 'set' as const, value: '86400000' },
        { name: 'max.message.bytes', op: 'delete' as const },
        { name: 'min.insync.replicas', op: 'set' as const, value: '1' },
      ]
      await admin.configs.incrementalAlter([{ type: 'topic', name: 'orders', changes }])
    })
    const partitionsOf = async () => (await recordsOf(to, 'here.orders')).length
    await until('partitions are added', async () => (await partitionsOf()) === 5)
    await until('the source knows them', async () => (await recordsOf(from, 'orders')).length === 5)
    await produce(from, 'orders', 5, 300, 800)
    await until('the records of new partitions are copied', () => copied(800))
    await same()
    const own = async () =>
      withAdmin(to, async (admin) => {
        const entries = (await admin.configs.describe([{ type: 'topic', name: 'here.orders' }])).get(
          'topic:here.orders',
        )
        const chosen = entries?.value?.filter((entry) => entry.source === 'DYNAMIC_TOPIC_CONFIG') ?? []
        return Object.fromEntries(chosen.map(({ name, value }) => [name, value]))
      })
    await until('settings are copied', async () => JSON.stringify(await own()) === '{"retention.ms":"86400000"}')
    const topics = await withAdmin(to, (admin) => admin.topics.list())
    expect(topics.map(({ name }) => name).filter((name) => name.startsWith('here.'))).toEqual(['here.orders'])
    // In MirrorMaker's form, so that either can go on from the other's.
    const stored = async () => {
      const newest = new Map<string, string>()
      for (const { key, value } of (await recordsOf(to, 'mirror-offsets')).flat())
        newest.set(String(key), String(value))
      return [...newest].filter(([key]) => key.startsWith('["topics",')).toSorted(([a], [b]) => (a < b ? -1 : 1))
    }
    const ends = (await recordsOf(from, 'orders')).map((list, partition) => [
      `["topics",{"cluster":"here","partition":${partition},"topic":"orders"}]`,
      `{"offset":${list.length - 1}}`,
    ])
    await until('offsets are stored', async () => JSON.stringify(await stored()) === JSON.stringify(ends))
    await deleteConnector(worker.url, 'topics')
  })

  test('a consumer goes on where its group was: nothing is lost, and little is read twice', async () => {
    await createTopic(from, 'events', 2)
    await produce(from, 'events', 2, 0, 500)
    await createConnector(worker.url, 'failover', topicsConfig('events'))
    await createConnector(worker.url, 'groups', {
      ...common(),
      'connector.class': 'org.apache.kafka.connect.mirror.MirrorCheckpointConnector',
      groups: 'half, all',
      'refresh.groups.interval.seconds': '1',
      'emit.checkpoints.interval.seconds': '1',
      'sync.group.offsets.enabled': 'true',
      'sync.group.offsets.interval.seconds': '1',
    })
    /** Reads with a group until it has seen so many records, and leaves; answers the offsets by partition. */
    const readWith = async (client: Client, groupId: string, topic: string, seen: Set<string>, count: number) => {
      const consumer = client.consumer({ groupId, autoOffsetReset: 'earliest', maxPollRecords: 37 })
      consumer.subscribe([topic])
      let repeated = 0
      await until(`${groupId} has read`, async () => {
        for (const { partition, offset } of await consumer.poll(100)) {
          const where = `${partition} ${offset}`
          if (seen.has(where)) repeated++
          seen.add(where)
        }
        return seen.size >= count
      })
      await consumer.commit()
      await consumer.close()
      return repeated
    }
    const [half, all] = [new Set<string>(), new Set<string>()]
    await readWith(from, 'half', 'events', half, 250)
    await readWith(from, 'all', 'events', all, 500)
    const committed = async (group: string) => {
      const offsets = await withAdmin(to, (admin) => admin.groups.offsets(group).catch(() => []))
      return offsets.reduce((sum, { offset }) => sum + offset, 0)
    }
    await until('who has read all is at the end of the copy', async () => (await committed('all')) === 500)
    // What was committed for it while the copy was young lies far behind, and is followed by more.
    await until('who has read half is not far behind', async () => (await committed('half')) > half.size - 250)
    // Failover: the groups go on from what was committed for them. The copy has the offsets of its source here.
    await produce(to, 'here.events', 2, 500, 520)
    expect(await readWith(to, 'all', 'here.events', all, 520)).toBe(0)
    const repeated = await readWith(to, 'half', 'here.events', half, 520)
    expect(repeated).toBeLessThan(250)
    const checkpoints = (await recordsOf(to, 'here.checkpoints.internal')).flat()
    for (const { key, value } of checkpoints) {
      const checkpoint = decodeCheckpoint(key!, value!)
      expect(checkpoint).toMatchObject({ topic: 'here.events' })
      // The copy has the offsets of its source here, so a translation is never beyond the group.
      expect(checkpoint.downstreamOffset).toBeLessThanOrEqual(checkpoint.upstreamOffset)
    }
    expect(checkpoints.length).toBeGreaterThan(0)
    const syncs = (await recordsOf(from, 'mm2-offset-syncs.there.internal')).flat()
    const last = syncs
      .map(({ key, value }) => decodeOffsetSync(key!, value!))
      .findLast(({ partition }) => partition === 0)
    expect(last).toMatchObject({ topic: 'events', upstreamOffset: last?.downstreamOffset })
    await deleteConnector(worker.url, 'groups')
    await deleteConnector(worker.url, 'failover')
  })

  test('heartbeats come, and are copied on under the name of where they are from', async () => {
    const heartbeats = (servers: string) => ({
      ...common(),
      'connector.class': 'org.apache.kafka.connect.mirror.MirrorHeartbeatConnector',
      'target.cluster.bootstrap.servers': servers,
    })
    await createConnector(worker.url, 'beats', heartbeats(target.bootstrapServers))
    await until('there are two', async () => countOf(await recordsOf(to, 'heartbeats')) >= 2)
    await deleteConnector(worker.url, 'beats')
    const [first] = (await recordsOf(to, 'heartbeats')).flat()
    expect(decodeHeartbeat(first!.key!, first!.value!)).toEqual({
      sourceClusterAlias: 'here',
      targetClusterAlias: 'there',
      timestamp: first!.timestamp,
    })
    await createTopic(from, 'heartbeats', 1)
    await produce(from, 'heartbeats', 1, 0, 1)
    await createConnector(worker.url, 'along', topicsConfig('nothing-else'))
    await until('the heartbeat is copied', async () => countOf(await recordsOf(to, 'here.heartbeats')) === 1)
    await deleteConnector(worker.url, 'along')
  })

  // Millrace keeps no ACLs.
  if (targetKind === kafka) {
    test('ACLs of topics are copied between clusters that keep them', async () => {
      await createTopic(to, 'guarded', 1)
      const rule = { resourceType: 'TOPIC', patternType: 'LITERAL', host: '*', permission: 'ALLOW' }
      await withAdmin(to, (admin) =>
        admin.acls.create([
          { ...rule, resourceName: 'guarded', principal: 'User:reader', operation: 'READ' },
          { ...rule, resourceName: 'guarded', principal: 'User:owner', operation: 'ALL' },
          { ...rule, resourceName: 'guarded', principal: 'User:writer', operation: 'WRITE' },
        ]),
      )
      // One cluster is both: the copy is beside its source.
      const config = topicsConfig('guarded', { 'source.cluster.bootstrap.servers': target.bootstrapServers })
      await createConnector(worker.url, 'acls', config)
      const copied = async () => {
        const found = await withAdmin(to, (admin) => admin.acls.describe('TOPIC'))
        return found
          .filter(({ resourceName }) => resourceName === 'here.guarded')
          .map(({ principal, operation, permission }) => `${permission} ${principal} ${operation}`)
          .toSorted()
          .join(', ')
      }
      await until('they are there', async () => (await copied()) === 'ALLOW User:owner READ, ALLOW User:reader READ')
      await deleteConnector(worker.url, 'acls')
    })
  }

  test('kill -9 of the worker loses nothing, and what is repeated comes in order', async () => {
    await createTopic(from, 'killed', 3)
    const config = topicsConfig('killed', { 'consumer.max.poll.records': '50' })
    await createConnector(worker.url, 'killed', config)
    // On Kafka the group waits for the session of the worker that was killed.
    const rounds = targetKind === millrace ? 2 : 1
    for (let round = 0; round < rounds; round++) {
      const before = countOf(await recordsOf(to, 'here.killed'))
      await produce(from, 'killed', 3, round * 9000, (round + 1) * 9000)
      await until('the copy goes on', async () => countOf(await recordsOf(to, 'here.killed')) > before)
      await worker.kill()
      await worker.restart()
    }
    await produce(from, 'killed', 3, rounds * 9000, rounds * 9000 + 3000)
    const originals = await recordsOf(from, 'killed')
    const timestamps = (records: readonly ConsumerRecord[]) => records.map(({ timestamp }) => timestamp)
    const firstSights = async () => (await recordsOf(to, 'here.killed')).map((list) => [...new Set(timestamps(list))])
    await until('everything is copied', async () => countOf(await firstSights()) === rounds * 9000 + 3000)
    expect(await firstSights()).toEqual(originals.map(timestamps))
    await deleteConnector(worker.url, 'killed')
  })
})
