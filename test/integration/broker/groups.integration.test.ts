import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apis, ErrorCode, records } from '../../../src/protocol/index.ts'
import { decodeRecords } from '../../../src/record/index.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { BrokerUnderTest, fetchOne } from './broker-under-test.ts'
import type { RawClient } from './raw-client.ts'

let broker: BrokerUnderTest
let client: RawClient

beforeAll(async () => {
  broker = await BrokerUnderTest.start()
  client = await broker.connect()
  await broker.createTopic('t', 3)
})
afterAll(() => broker[Symbol.asyncDispose]())

interface JoinOptions {
  readonly memberId?: string
  readonly groupInstanceId?: string | null
  readonly protocolType?: string
  readonly metadata?: Buffer
  readonly sessionTimeoutMs?: number
  readonly version?: number
}

function joinRequest(groupId: string, options: JoinOptions) {
  return {
    groupId,
    memberId: options.memberId ?? '',
    groupInstanceId: options.groupInstanceId ?? null,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 300_000,
    rebalanceTimeoutMs: 300_000,
    protocolType: options.protocolType ?? 'consumer',
    protocols: [{ name: 'range', metadata: options.metadata ?? Buffer.from('m') }],
  }
}

function join(from: RawClient, groupId: string, options: JoinOptions = {}) {
  return from.call(apis.joinGroup, options.version ?? 9, joinRequest(groupId, options), 'joiner')
}

/** Joins as a client does: gets an id first, then uses it. */
async function joinDynamic(from: RawClient, groupId: string, options: JoinOptions = {}) {
  const first = await join(from, groupId, options)
  expect(first.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED)
  return join(from, groupId, { ...options, memberId: first.memberId })
}

function sync(
  from: RawClient,
  groupId: string,
  member: { memberId: string; generationId: number; groupInstanceId?: string | null },
  assignments: { memberId: string; assignment: Buffer }[] = [],
  protocolType = 'consumer',
) {
  return from.call(apis.syncGroup, 5, {
    groupId,
    memberId: member.memberId,
    generationId: member.generationId,
    groupInstanceId: member.groupInstanceId ?? null,
    protocolType,
    protocolName: 'range',
    assignments,
  })
}

/** A group of one member with an assignment. */
async function oneMember(groupId: string, options: JoinOptions = {}) {
  const connection = await broker.connect()
  const joined = await joinDynamic(connection, groupId, options)
  const assignments = [{ memberId: joined.memberId, assignment: Buffer.from('all of it') }]
  const synced = await sync(connection, groupId, joined, assignments, options.protocolType)
  expect(synced.errorCode).toBe(ErrorCode.NONE)
  return { connection, memberId: joined.memberId, generationId: joined.generationId, assignment: synced.assignment }
}

async function describeGroup(groupId: string, version = 6) {
  return (await client.call(apis.describeGroups, version, { groups: [groupId] })).groups[0]!
}

async function commit(
  groupId: string,
  partitionIndex: number,
  committedOffset: number,
  extra: Record<string, unknown> = {},
  topic = 't',
) {
  const partition = { partitionIndex, committedOffset, committedLeaderEpoch: 7, committedMetadata: 'note' }
  const answer = await client.call(apis.offsetCommit, 8, {
    groupId,
    ...extra,
    topics: [{ name: topic, partitions: [{ ...partition, ...(extra['partition'] as object | undefined) }] }],
  })
  return answer.topics[0]!.partitions[0]!.errorCode
}

async function committed(groupId: string, partition = 0) {
  const { topics } = await client.call(apis.offsetFetch, 7, {
    groupId,
    topics: [{ name: 't', partitionIndexes: [partition] }],
  })
  return topics[0]!.partitions[0]!
}

describe('membership', () => {
  test('two members share a generation; each gets its own assignment, byte for byte', async () => {
    const a = await oneMember('pair')
    const other = await broker.connect()
    const id = await join(other, 'pair', {})
    const joining = join(other, 'pair', { memberId: id.memberId, metadata: Buffer.from([0, 255, 1]) })
    const heartbeat = { groupId: 'pair', memberId: a.memberId, generationId: a.generationId }
    let code = 0
    for (const deadline = Date.now() + DEADLINE_MS; code !== ErrorCode.REBALANCE_IN_PROGRESS; ) {
      code = (await a.connection.call(apis.heartbeat, 4, heartbeat)).errorCode
      expect(Date.now()).toBeLessThan(deadline)
    }
    const leader = await join(a.connection, 'pair', { memberId: a.memberId })
    const follower = await joining
    expect(leader.generationId).toBe(2)
    expect(follower.generationId).toBe(2)
    expect(leader.members.map((member) => member.memberId).toSorted()).toEqual(
      [a.memberId, follower.memberId].toSorted(),
    )
    expect(follower.members).toEqual([])
    const waiting = sync(other, 'pair', follower)
    await sync(a.connection, 'pair', leader, [
      { memberId: leader.memberId, assignment: Buffer.from('one') },
      { memberId: follower.memberId, assignment: Buffer.from([9, 0, 200]) },
    ])
    expect([...(await waiting).assignment]).toEqual([9, 0, 200])
    const described = await describeGroup('pair')
    expect(described).toMatchObject({ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' })
    const member = described.members.find(({ memberId }) => memberId === follower.memberId)!
    expect([...member.memberMetadata]).toEqual([0, 255, 1])
    expect([...member.memberAssignment]).toEqual([9, 0, 200])
    expect(member).toMatchObject({ clientId: 'joiner', clientHost: '/127.0.0.1' })
  })

  test('member ids are the client id and a UUID', async () => {
    const { memberId } = await join(client, 'ids')
    expect(memberId).toMatch(/^joiner-[0-9a-f]{8}-[0-9a-f-]{27}$/)
  })

  test('old clients join without an id of their own at once', async () => {
    const connection = await broker.connect()
    const joined = await join(connection, 'old', { version: 3 })
    expect(joined).toMatchObject({ errorCode: 0, generationId: 1 })
    expect(joined.leader).toBe(joined.memberId)
  })

  test.each<[string, JoinOptions, string, number]>([
    ['an empty group id', {}, '', ErrorCode.INVALID_GROUP_ID],
    ['a session time-out of a second', { sessionTimeoutMs: 1000 }, 'j1', ErrorCode.INVALID_SESSION_TIMEOUT],
    ['an id nobody gave out', { memberId: 'nobody' }, 'j2', ErrorCode.UNKNOWN_MEMBER_ID],
    ['an empty protocol type', { protocolType: '' }, 'j3', ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
  ])('%s is refused', async (_, options, groupId, expected) => {
    expect((await join(client, groupId, options)).errorCode).toBe(expected)
  })

  test('a group of another protocol type cannot be joined', async () => {
    await oneMember('typed', { protocolType: 'connect' })
    expect((await join(client, 'typed')).errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  })

  test('a static member that restarts gets a new id and its assignment without a rebalance', async () => {
    const connection = await broker.connect()
    const first = await join(connection, 'static', { groupInstanceId: 'i1' })
    const member = { ...first, groupInstanceId: 'i1' }
    await sync(connection, 'static', member, [{ memberId: first.memberId, assignment: Buffer.from('mine') }])
    connection.close()
    const again = await broker.connect()
    const second = await join(again, 'static', { groupInstanceId: 'i1' })
    expect(second).toMatchObject({ errorCode: 0, generationId: first.generationId, skipAssignment: true })
    expect(second.memberId).not.toBe(first.memberId)
    const synced = await sync(again, 'static', { ...second, groupInstanceId: 'i1' })
    expect(synced.assignment.toString()).toBe('mine')
    const heartbeat = { groupId: 'static', generationId: 1, memberId: first.memberId, groupInstanceId: 'i1' }
    expect((await client.call(apis.heartbeat, 4, heartbeat)).errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
    const left = await client.call(apis.leaveGroup, 4, {
      groupId: 'static',
      members: [{ memberId: '', groupInstanceId: 'i1' }],
    })
    expect(left.members[0]!.errorCode).toBe(ErrorCode.NONE)
    expect((await describeGroup('static')).groupState).toBe('Empty')
  })

  test('a Connect worker whose connection drops is out after the grace, a consumer is not', async () => {
    const worker = await oneMember('workers', { protocolType: 'connect' })
    const consumer = await oneMember('consumers')
    worker.connection.close()
    consumer.connection.close()
    for (const deadline = Date.now() + DEADLINE_MS; (await describeGroup('workers')).groupState !== 'Empty'; ) {
      expect(Date.now()).toBeLessThan(deadline)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await describeGroup('consumers')).groupState).toBe('Stable')
  })

  test('leaving empties the group; unknown members are told so one by one', async () => {
    const { connection, memberId } = await oneMember('leaving')
    const members = [{ memberId }, { memberId: 'nobody' }]
    const left = await connection.call(apis.leaveGroup, 5, { groupId: 'leaving', members })
    expect(left.members.map((member) => member.errorCode)).toEqual([ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID])
    expect((await describeGroup('leaving')).groupState).toBe('Empty')
  })
})

describe('offsets', () => {
  test('offset, leader epoch and metadata come back', async () => {
    expect(await commit('simple', 1, 42)).toBe(ErrorCode.NONE)
    expect(await committed('simple', 1)).toMatchObject({
      committedOffset: 42,
      committedLeaderEpoch: 7,
      metadata: 'note',
    })
    expect(await committed('simple', 2)).toMatchObject({ committedOffset: -1, errorCode: 0 })
    expect(await committed('never')).toMatchObject({ committedOffset: -1, errorCode: 0 })
  })

  test('all topics of a group, several groups at once, and topics by id', async () => {
    await commit('several', 0, 1)
    await commit('several', 2, 3)
    const all = await client.call(apis.offsetFetch, 7, { groupId: 'several', topics: null })
    expect(all.topics[0]!.partitions.map((p) => [p.partitionIndex, p.committedOffset])).toEqual([
      [0, 1],
      [2, 3],
    ])
    const { topics } = await client.call(apis.metadata, 12, { topics: [{ name: 't' }] })
    const { topicId } = topics[0]!
    const groups = [
      { groupId: 'several', topics: [{ topicId, partitionIndexes: [2] }] },
      { groupId: 'never', topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitionIndexes: [0] }] },
    ]
    const answer = await client.call(apis.offsetFetch, 10, { groups })
    expect(answer.groups[0]!.topics[0]!).toMatchObject({ topicId, partitions: [{ committedOffset: 3 }] })
    expect(answer.groups[1]!.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
    const byId = await client.call(apis.offsetCommit, 10, {
      groupId: 'several',
      topics: [
        { topicId, partitions: [{ partitionIndex: 0, committedOffset: 11 }] },
        { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [{ partitionIndex: 0, committedOffset: 1 }] },
      ],
    })
    expect(byId.topics.map((topic) => topic.partitions[0]!.errorCode)).toEqual([0, ErrorCode.UNKNOWN_TOPIC_ID])
  })

  test('what cannot be committed has its own error', async () => {
    const { memberId, generationId } = await oneMember('fenced')
    expect(await commit('x', 9, 1)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await commit('x', 0, 1, {}, 'never')).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const long = { partition: { committedMetadata: 'x'.repeat(5000) } }
    expect(await commit('x', 0, 1, long)).toBe(ErrorCode.OFFSET_METADATA_TOO_LARGE)
    expect(await commit('fenced', 0, 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(await commit('fenced', 0, 1, { memberId, generationIdOrMemberEpoch: generationId + 1 })).toBe(
      ErrorCode.ILLEGAL_GENERATION,
    )
    expect(await commit('fenced', 0, 1, { memberId: 'nobody', generationIdOrMemberEpoch: generationId })).toBe(
      ErrorCode.UNKNOWN_MEMBER_ID,
    )
    expect(await commit('fenced', 0, 5, { memberId, generationIdOrMemberEpoch: generationId })).toBe(ErrorCode.NONE)
    expect(await commit('absent', 0, 1, { memberId: 'm', generationIdOrMemberEpoch: 3 })).toBe(
      ErrorCode.ILLEGAL_GENERATION,
    )
  })

  test('offsets are stored in __consumer_offsets in the form of Kafka', async () => {
    await commit('stored', 1, 77)
    const { topics } = await client.call(apis.metadata, 12, { topics: [{ name: '__consumer_offsets' }] })
    expect(topics[0]).toMatchObject({ isInternal: true, errorCode: 0 })
    const found = []
    for (const { partitionIndex } of topics[0]!.partitions) {
      const fetched = await fetchOne(client, '__consumer_offsets', 0, { partition: partitionIndex })
      for (const { key, value } of decodeRecords(fetched.records ?? Buffer.alloc(0))) {
        if (key === null || value === null || key.readInt16BE(0) !== 1) continue
        const { group, topic, partition } = records.offsetCommitKey.decode(key).message
        if (group === 'stored') found.push([topic, partition, records.offsetCommitValue.decode(value).message.offset])
      }
    }
    expect(found).toEqual([['t', 1, 77]])
  })

  test('OffsetDelete forgets offsets, but not of topics that members read', async () => {
    const subscription = records.consumerProtocolSubscription.encode({ topics: ['t'] })
    const { memberId, generationId } = await oneMember('subscribed', { metadata: subscription })
    await commit('subscribed', 0, 5, { memberId, generationIdOrMemberEpoch: generationId })
    const remove = async (groupId: string, name = 't') => {
      const topics = [{ name, partitions: [{ partitionIndex: 0 }] }]
      const answer = await client.call(apis.offsetDelete, 0, { groupId, topics })
      return answer.errorCode || answer.topics[0]!.partitions[0]!.errorCode
    }
    expect(await remove('subscribed')).toBe(ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC)
    expect(await remove('never')).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    await commit('removable', 0, 5)
    expect(await remove('removable', 'never')).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await remove('removable')).toBe(ErrorCode.NONE)
    expect((await committed('removable')).committedOffset).toBe(-1)
  })

  test('DeleteGroups: with members 68, unknown 69, otherwise gone with its offsets', async () => {
    await oneMember('busy')
    await commit('idle', 0, 5)
    const answer = await client.call(apis.deleteGroups, 2, { groupsNames: ['busy', 'never', 'idle'] })
    expect(answer.results.map((result) => result.errorCode)).toEqual([
      ErrorCode.NON_EMPTY_GROUP,
      ErrorCode.GROUP_ID_NOT_FOUND,
      ErrorCode.NONE,
    ])
    expect((await committed('idle')).committedOffset).toBe(-1)
  })
})

describe('listing', () => {
  test('groups are listed with their states and filtered by them', async () => {
    await oneMember('list-stable')
    await commit('list-empty', 0, 1)
    const list = async (statesFilter: string[], typesFilter: string[] = []) =>
      (await client.call(apis.listGroups, 5, { statesFilter, typesFilter })).groups
    const all = await list([])
    expect(all.find((group) => group.groupId === 'list-stable')).toEqual({
      groupId: 'list-stable',
      protocolType: 'consumer',
      groupState: 'Stable',
      groupType: 'classic',
    })
    const empty = await list(['Empty'])
    expect(empty.map((group) => group.groupId)).toContain('list-empty')
    expect(empty.every((group) => group.groupState === 'Empty')).toBe(true)
    expect(await list([], ['consumer'])).toEqual([])
  })

  test('a group that does not exist is Dead for old clients and error 69 for new ones', async () => {
    expect(await describeGroup('never', 5)).toMatchObject({ errorCode: 0, groupState: 'Dead' })
    expect(await describeGroup('never', 6)).toMatchObject({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND })
  })

  test('the coordinator of every group is this broker; bad keys are refused', async () => {
    const found = await client.call(apis.findCoordinator, 4, { keyType: 0, coordinatorKeys: ['a', ''] })
    expect(found.coordinators[0]).toMatchObject({ key: 'a', nodeId: 1, port: broker.port, errorCode: 0 })
    expect(found.coordinators[1]!.errorCode).toBe(ErrorCode.INVALID_GROUP_ID)
    const old = await client.call(apis.findCoordinator, 2, { key: 'a', keyType: 9 })
    expect(old.errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })
})

describe('restart', () => {
  test('groups, members, assignments and offsets come back; members go on with heartbeats', async () => {
    const { memberId, generationId } = await oneMember('kept')
    await commit('kept', 0, 99, { memberId, generationIdOrMemberEpoch: generationId })
    await commit('kept-simple', 0, 1)
    await client.call(apis.deleteGroups, 2, { groupsNames: ['kept-simple'] })
    await broker.restart()
    client = await broker.connect()
    const described = await describeGroup('kept')
    expect(described).toMatchObject({ groupState: 'Stable', protocolData: 'range' })
    expect(described.members[0]!.memberAssignment.toString()).toBe('all of it')
    expect((await committed('kept')).committedOffset).toBe(99)
    const heartbeat = await client.call(apis.heartbeat, 4, { groupId: 'kept', memberId, generationId })
    expect(heartbeat.errorCode).toBe(ErrorCode.NONE)
    expect((await describeGroup('kept-simple')).errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
  })

  test('a group that was rebalancing rebalances again: nobody keeps what was being replaced', async () => {
    const { connection, memberId, generationId } = await oneMember('mid')
    const other = await broker.connect()
    const id = await join(other, 'mid')
    other.send(apis.joinGroup, 9, joinRequest('mid', { memberId: id.memberId }))
    for (
      const deadline = Date.now() + DEADLINE_MS;
      (await describeGroup('mid')).groupState !== 'PreparingRebalance';
    ) {
      expect(Date.now()).toBeLessThan(deadline)
    }
    await broker.restart()
    client = await broker.connect()
    expect((await describeGroup('mid')).groupState).toBe('PreparingRebalance')
    const heartbeat = await client.call(apis.heartbeat, 4, { groupId: 'mid', memberId, generationId })
    expect(heartbeat.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    // Both come back with the ids they had and get the next generation together.
    const [one, two] = [await broker.connect(), await broker.connect()]
    const [first, second] = await Promise.all([
      join(one, 'mid', { memberId }),
      join(two, 'mid', { memberId: id.memberId }),
    ])
    expect([first.errorCode, second.errorCode]).toEqual([0, 0])
    expect([first.generationId, second.generationId]).toEqual([generationId + 1, generationId + 1])
    connection.close()
  })

  test('members that wait for a rebalance are sent to find the coordinator again when the broker stops', async () => {
    const { memberId } = await oneMember('waiting')
    const other = await broker.connect()
    const id = await join(other, 'waiting')
    const joining = join(other, 'waiting', { memberId: id.memberId })
    for (const deadline = Date.now() + DEADLINE_MS; (await describeGroup('waiting')).groupState === 'Stable'; ) {
      expect(Date.now()).toBeLessThan(deadline)
    }
    const restarted = broker.restart()
    expect((await joining).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    await restarted
    client = await broker.connect()
    expect(memberId).toBeTruthy()
  })
})
