import { expect, test } from 'vitest'
import { GroupOffsets } from '../../../../src/broker/groups/group-offsets.ts'
import {
  groupRecord,
  offsetRecord,
  readOffsetsRecord,
  restoredGroup,
} from '../../../../src/broker/groups/group-records.ts'
import { partitionForGroup } from '../../../../src/broker/groups/partition-for-group.ts'
import { snapshotOf } from '../../../../src/broker/groups/classic/draft.ts'
import { emptyGroup } from '../../../../src/broker/groups/classic/group-state.ts'
import { records } from '../../../../src/protocol/index.ts'
import { GroupUnderTest } from './group-driver.ts'

test('groups lie in the partition where Kafka looks for them', () => {
  // abs(hashCode) % partitions, with the hashes of Java's String.
  expect(partitionForGroup('', 50)).toBe(0)
  expect(partitionForGroup('console-consumer', 50)).toBe(Math.abs(hash('console-consumer')) % 50)
  // A string whose hash is the smallest int, which has no absolute value.
  expect(hash('polygenelubricants')).toBe(-(2 ** 31))
  expect(partitionForGroup('polygenelubricants', 50)).toBe(0)
})

function hash(text: string): number {
  return text.split('').reduce((sum, char) => (Math.imul(sum, 31) + char.charCodeAt(0)) | 0, 0)
}

test('an offset comes back from its record, and a tombstone as nothing', () => {
  const value = { offset: 5, leaderEpoch: 2, metadata: 'note', commitTimestamp: 1000 }
  const record = offsetRecord('g', 't', 3, value)
  expect(record.key.readInt16BE(0)).toBe(1)
  expect(record.value!.readInt16BE(0)).toBe(3)
  const expected = { kind: 'offset', groupId: 'g', topic: 't', partition: 3 }
  expect(readOffsetsRecord(record.key, record.value)).toEqual({ ...expected, value })
  expect(readOffsetsRecord(offsetRecord('g', 't', 3, null).key, null)).toEqual({ ...expected, value: null })
})

test('a stable group comes back with members, metadata and assignments', () => {
  const group = new GroupUnderTest()
  group.stable({ groupInstanceId: 'i' }, { protocols: [{ name: 'range', metadata: Buffer.from([1, 2]) }] })
  const { key, value } = groupRecord('g', snapshotOf(group.state))
  const read = readOffsetsRecord(key, value)
  if (read.kind !== 'group' || read.value === null) throw new Error('not a group')
  const restored = restoredGroup('g', read.value, group.now)
  expect(restored).toMatchObject({ phase: 'Stable', generationId: 1, protocolName: 'range', protocolType: 'consumer' })
  expect([...restored.members.keys()]).toEqual([...group.state.members.keys()])
  expect([...restored.staticMembers.keys()]).toEqual(['i'])
  for (const [id, member] of group.state.members) {
    expect(restored.members.get(id)!.assignment.equals(member.assignment)).toBe(true)
    expect(restored.members.get(id)!.protocols[0]!.metadata.equals(member.protocols[0]!.metadata)).toBe(true)
  }
})

test('offsets expire by when the group became empty; those of a live subscription never', () => {
  const offsets = new GroupOffsets()
  const committed = (commitTimestamp: number) => ({ offset: 1, leaderEpoch: -1, metadata: '', commitTimestamp })
  offsets.set('read', 0, committed(0))
  offsets.set('left', 0, committed(0))
  const topicsOf = (expired: { topic: string }[]) => expired.map(({ topic }) => topic)
  const simple = emptyGroup('g', 5000)
  expect(topicsOf(offsets.expired(simple, 999, 1000))).toEqual([])
  expect(topicsOf(offsets.expired(simple, 1000, 1000))).toEqual(['read', 'left'])
  const emptied = { ...simple, protocolType: 'consumer' }
  expect(topicsOf(offsets.expired(emptied, 5999, 1000))).toEqual([])
  expect(topicsOf(offsets.expired(emptied, 6000, 1000))).toEqual(['read', 'left'])
  const group = new GroupUnderTest()
  group.stable({
    protocols: [{ name: 'range', metadata: records.consumerProtocolSubscription.encode({ topics: ['read'] }) }],
  })
  expect(topicsOf(offsets.expired(group.state, 10_000, 1000))).toEqual(['left'])
})
