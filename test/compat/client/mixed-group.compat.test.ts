// Our consumer and Kafka's in one group: each reads what the other says of itself, whichever of them leads.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AssignorName, Client, Consumer } from '../../../src/client/index.ts'
import { clientOf, clusterKinds, newTopic, type TestCluster, until } from '../../integration/client/clusters.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { kafkaMissing, kafkaTool, type ToolResult } from '../../services/kafka.ts'

const JAVA_NAMES: Readonly<Record<AssignorName, string>> = {
  range: 'RangeAssignor',
  roundrobin: 'RoundRobinAssignor',
  sticky: 'StickyAssignor',
  'cooperative-sticky': 'CooperativeStickyAssignor',
}
const PARTITIONS = 4

describe('one group of both clients', () => {
  // The coordinator passes the bytes on: which broker it is makes no difference.
  const [kind] = clusterKinds
  const missing = kafkaMissing('4.3.1') !== null
  let cluster: TestCluster
  let client: Client
  beforeAll(async () => {
    if (missing) return
    cluster = await kind!.start()
    client = clientOf(cluster)
  })
  afterAll(() => cluster?.stop())

  function startJava(topic: string, groupId: string, strategy: AssignorName): Promise<ToolResult> {
    const properties = [
      `partition.assignment.strategy=org.apache.kafka.clients.consumer.${JAVA_NAMES[strategy]}`,
      'heartbeat.interval.ms=100',
      'auto.offset.reset=earliest',
    ]
    const group = ['--bootstrap-server', cluster.bootstrapServers, '--topic', topic, '--group', groupId]
    const limits = ['--max-messages', '2', '--timeout-ms', String(2 * DEADLINE_MS)]
    const options = properties.flatMap((property) => ['--consumer-property', property])
    return kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [...group, ...limits, ...options])
  }

  function startOurs(topic: string, groupId: string, strategy: AssignorName): Consumer {
    const consumer = client.consumer({
      groupId,
      partitionAssignmentStrategy: [strategy],
      autoOffsetReset: 'earliest',
      heartbeatIntervalMs: 100,
      sessionTimeoutMs: 30_000,
    })
    consumer.subscribe([topic])
    return consumer
  }

  async function memberCount(groupId: string): Promise<number> {
    await using admin = client.admin()
    const group = (await admin.groups.describe([groupId])).get(groupId)
    return group?.value?.state === 'Stable' ? group.value.members.length : 0
  }

  const cases = Object.keys(JAVA_NAMES).flatMap((strategy) =>
    (['ours', 'Java'] as const).map((first) => [strategy as AssignorName, first] as const),
  )
  test.skipIf(missing).each(cases)('%s, %s first: they share the partitions', async (strategy, first) => {
    const topic = await newTopic(client, PARTITIONS)
    const groupId = `mixed-${topic}`
    let java: Promise<ToolResult> | undefined
    if (first === 'Java') {
      java = startJava(topic, groupId, strategy)
      await until('Java is in the group', async () => (await memberCount(groupId)) === 1)
    }
    await using ours = startOurs(topic, groupId, strategy)
    if (first === 'ours') {
      await until('we have all', async () => (await ours.poll(50)) && ours.assignment().length === PARTITIONS)
      java = startJava(topic, groupId, strategy)
    }
    await until('we have half', async () => {
      await ours.poll(50)
      return ours.assignment().length === PARTITIONS / 2 && (await memberCount(groupId)) === 2
    })
    await using producer = client.producer()
    for (let partition = 0; partition < PARTITIONS; partition++) {
      await producer.send({ topic, partition, key: null, value: Buffer.from(`v${partition}`) })
    }
    const own: string[] = []
    await until('we have read ours', async () => {
      own.push(...(await ours.poll(50)).map(({ value }) => value!.toString()))
      return own.length >= PARTITIONS / 2
    })
    let done: ToolResult | undefined
    void java!.then((result) => {
      done = result
    })
    // Until Java has left, its rebalances need our polls.
    await until('Java has read its own', async () => (await ours.poll(50)) && done !== undefined)
    const theirs = done!.stdout.split('\n').filter((line) => /^v\d$/.test(line))
    expect([...own, ...theirs].toSorted()).toEqual(['v0', 'v1', 'v2', 'v3'])
  })
})
