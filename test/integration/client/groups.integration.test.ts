import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type {
  AssignorName,
  Client,
  Consumer,
  ConsumerOptions,
  GroupAssignment,
  GroupMember,
  GroupOwner,
  KafkaError,
  LeaderRequest,
  TopicPartition,
} from '../../../src/client/index.ts'
import { clientOf, clusterKinds, newTopic, type TestCluster, until } from './clusters.ts'

const shown = (partitions: readonly TopicPartition[]): number[] =>
  partitions.map(({ partition }) => partition).toSorted((a, b) => a - b)

/** A consumer that polls all the time and notes what its listener hears. */
class Reader {
  readonly consumer: Consumer
  readonly heard: string[] = []
  readonly values: string[] = []
  #stopping = false
  readonly #reading: Promise<void>

  constructor(client: Client, topics: readonly string[] | RegExp, options: ConsumerOptions) {
    this.consumer = client.consumer({
      autoOffsetReset: 'earliest',
      heartbeatIntervalMs: 100,
      // Whoever leaves says so: only a machine that stands still would end a session.
      sessionTimeoutMs: 60_000,
      ...options,
    })
    this.consumer.subscribe(topics, {
      onAssigned: (partitions) => void this.heard.push(`assigned ${shown(partitions).join(' ')}`.trim()),
      onRevoked: (partitions) => void this.heard.push(`revoked ${shown(partitions).join(' ')}`.trim()),
      onLost: (partitions) => void this.heard.push(`lost ${shown(partitions).join(' ')}`.trim()),
    })
    this.#reading = this.#read()
  }

  async #read(): Promise<void> {
    while (!this.#stopping) {
      for (const { value } of await this.consumer.poll(100)) this.values.push(value!.toString())
    }
  }

  get partitions(): number[] {
    return shown(this.consumer.assignment())
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#reading
    await this.consumer.close()
  }
}

/** A member of a group with a protocol of its own, as a Connect worker is one. */
class Worker implements GroupOwner {
  readonly member: GroupMember
  readonly assigned: GroupAssignment[] = []
  readonly led: LeaderRequest[] = []
  readonly lost: string[] = []
  readonly name: string
  fatal: KafkaError | undefined
  joins = 0

  constructor(client: Client, name: string, groupId: string, options: { groupInstanceId?: string } = {}) {
    this.name = name
    const timings = { sessionTimeoutMs: 60_000, heartbeatIntervalMs: 100, rebalanceTimeoutMs: 60_000 }
    this.member = client.groupMember({ groupId, protocolType: 'connect', ...timings, ...options }, this)
    this.member.start()
  }

  metadata() {
    return [{ name: 'sessioned', metadata: Buffer.from([0xff, 0, ...Buffer.from(this.name)]) }]
  }

  beforeJoin(): void {
    this.joins++
  }

  assign(request: LeaderRequest): ReadonlyMap<string, Uint8Array> {
    this.led.push(request)
    const names = request.members
      .map(({ metadata }) => metadata.subarray(2).toString())
      .toSorted()
      .join()
    return new Map(request.members.map(({ memberId }) => [memberId, Buffer.from(`${request.generationId}:${names}`)]))
  }

  onAssigned(assignment: GroupAssignment): void {
    this.assigned.push(assignment)
  }

  onLost(reason: string): void {
    this.lost.push(reason)
  }

  onFatal(error: KafkaError): void {
    this.fatal = error
  }

  /** Names of all members in its last assignment. */
  get seen(): string {
    return this.assigned.at(-1)?.assignment.toString().split(':')[1] ?? ''
  }
}

describe.each(clusterKinds)('groups on $name', (kind) => {
  let cluster: TestCluster
  let client: Client
  const open: { stop(): Promise<void> }[] = []
  beforeAll(async () => {
    if (kind.missing) return
    cluster = await kind.start()
    client = clientOf(cluster)
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.stop()))
  })
  afterAll(() => cluster?.stop())

  function reader(topics: readonly string[] | RegExp, groupId: string, options: ConsumerOptions = {}): Reader {
    const made = new Reader(client, topics, { groupId, ...options })
    open.push(made)
    return made
  }

  function worker(name: string, groupId: string, options = {}): Worker {
    const made = new Worker(client, name, groupId, options)
    open.push({ stop: () => made.member.leave() })
    return made
  }

  async function send(topic: string, value: string, partition: number): Promise<void> {
    await using producer = client.producer()
    await producer.send({ topic, partition, key: null, value: Buffer.from(value) })
  }

  const strategies: AssignorName[] = ['range', 'roundrobin', 'sticky', 'cooperative-sticky']
  test.skipIf(kind.missing).each(strategies)('two consumers share the partitions, %s', async (name) => {
    const topic = await newTopic(client, 4)
    const options: ConsumerOptions = { partitionAssignmentStrategy: [name] }
    const first = reader([topic], `group-${topic}`, options)
    await until('the first has all', () => first.partitions.length === 4)
    const second = reader([topic], `group-${topic}`, options)
    await until('they share', () => first.partitions.length === 2 && second.partitions.length === 2)
    expect([...first.partitions, ...second.partitions].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
    if (name === 'cooperative-sticky') {
      // What stays was never taken away.
      const revoked = first.heard.filter((line) => line.startsWith('revoked'))
      expect(revoked.map((line) => line.split(' ').length - 1)).toEqual([2])
    } else {
      expect(first.heard.slice(0, 2)).toEqual(['assigned 0 1 2 3', 'revoked 0 1 2 3'])
    }
    for (const partition of [0, 1, 2, 3]) await send(topic, `v${partition}`, partition)
    await until('all is read', () => first.values.length + second.values.length === 4)
    await second.stop()
    await until('the first has all again', () => first.partitions.length === 4)
    expect(first.heard.some((line) => line.startsWith('lost'))).toBe(false)
  })

  test.skipIf(kind.missing)('positions are committed on close and the next consumer goes on there', async () => {
    const topic = await newTopic(client)
    await send(topic, 'a', 0)
    const first = reader([topic], `group-${topic}`)
    await until('a is read', () => first.values.length === 1)
    await first.stop()
    await send(topic, 'b', 0)
    const second = reader([topic], `group-${topic}`)
    await until('b is read', () => second.values.length > 0)
    expect(second.values).toEqual(['b'])
  })

  test.skipIf(kind.missing)('new topics that match a pattern and new partitions are taken in', async () => {
    const prefix = `pattern-${process.pid}-${kind.name.length}`
    await using admin = client.admin()
    await admin.topics.create([{ name: `${prefix}-1`, numPartitions: 1 }])
    const one = client.consumer({ groupId: `group-${prefix}`, metadataMaxAgeMs: 200, autoOffsetReset: 'earliest' })
    one.subscribe(new RegExp(`^${prefix}-`))
    const assigned = async () => {
      await one.poll(50)
      return one
        .assignment()
        .map(({ topic, partition }) => `${topic}-${partition}`)
        .toSorted()
    }
    await until('the first topic', async () => (await assigned()).length === 1)
    await admin.topics.create([{ name: `${prefix}-2`, numPartitions: 1 }])
    await until('the second topic', async () => (await assigned()).length === 2)
    await admin.topics.createPartitions({ [`${prefix}-1`]: 2 })
    await until('the new partition', async () => (await assigned()).length === 3)
    expect(await assigned()).toEqual([`${prefix}-1-0`, `${prefix}-1-1`, `${prefix}-2-0`])
    await one.close()
  })

  test.skipIf(kind.missing)(
    'a consumer that does not poll in time is out, and joins again with the next poll',
    async () => {
      const topic = await newTopic(client)
      const heard: string[] = []
      await using slow = client.consumer({
        groupId: `group-${topic}`,
        maxPollIntervalMs: 2000,
        sessionTimeoutMs: 6000,
        heartbeatIntervalMs: 100,
      })
      slow.subscribe([topic], {
        onAssigned: () => void heard.push('assigned'),
        onLost: () => void heard.push('lost'),
      })
      await until('assigned', async () => (await slow.poll(50)) && heard.length > 0)
      await using admin = client.admin()
      // The application is busy elsewhere: no poll until the group is empty.
      await until('it left', async () => {
        const group = (await admin.groups.describe([`group-${topic}`])).get(`group-${topic}`)
        return group?.error === undefined && group?.value.members.length === 0
      })
      await until(
        'it is back',
        async () => (await slow.poll(50)) && heard.filter((one) => one === 'assigned').length === 2,
      )
      expect(heard).toEqual(['assigned', 'lost', 'assigned'])
    },
  )

  test.skipIf(kind.missing)('workers of any protocol see each other, and the bytes travel untouched', async () => {
    const groupId = `workers-${process.pid}-${kind.name.length}`
    const a = worker('a', groupId)
    await until('a is alone', () => a.seen === 'a')
    const b = worker('b', groupId)
    await until('both', () => a.seen === 'a,b' && b.seen === 'a,b')
    expect(a.assigned.at(-1)!.generationId).toBe(b.assigned.at(-1)!.generationId)
    expect(a.assigned.at(-1)!.protocol).toBe('sessioned')
    const leader = a.member.isLeader ? a : b
    expect(leader.led.at(-1)!.leaderId).toBe(leader.member.memberId)
    expect(leader.led.at(-1)!.members.map(({ metadata }) => metadata.subarray(0, 2))).toEqual([
      Buffer.from([0xff, 0]),
      Buffer.from([0xff, 0]),
    ])
    const generation = leader.member.generationId
    leader.member.requestRejoin('test')
    await until('a new generation', () => a.member.generationId > generation && b.member.generationId > generation)
    await b.member.leave()
    await until('a is alone again', () => a.seen === 'a')
    expect([a.lost, b.lost, a.fatal, b.fatal]).toEqual([[], [], undefined, undefined])
  })

  test.skipIf(kind.missing)('a static member comes back to its place without a rebalance', async () => {
    const groupId = `static-${process.pid}-${kind.name.length}`
    const a = worker('a', groupId, { groupInstanceId: 'one' })
    const b = worker('b', groupId, { groupInstanceId: 'two' })
    await until('both', () => a.seen === 'a,b' && b.seen === 'a,b')
    const { generationId } = a.member
    const leader = a.member.isLeader ? a : b
    const follower = leader === a ? b : a
    await follower.member.leave()
    const again = worker(follower.name, groupId, { groupInstanceId: follower === a ? 'one' : 'two' })
    await until('it is back', () => again.assigned.length > 0)
    expect(again.seen).toBe('a,b')
    expect(again.member.generationId).toBe(generationId)
    expect(leader.member.generationId).toBe(generationId)
  })

  test.skipIf(kind.missing)('a member is in its group again after the broker was restarted', async () => {
    const groupId = `restart-${process.pid}-${kind.name.length}`
    const a = worker('a', groupId)
    await until('a is in', () => a.seen === 'a')
    const before = a.assigned.length
    await cluster.restart()
    a.member.requestRejoin('test')
    await until('a is in again', () => a.assigned.length > before && a.member.phase === 'stable')
    expect(a.fatal).toBeUndefined()
    expect(a.lost.length).toBeLessThanOrEqual(1)
  })
})
