import { type GroupMetadataValue, type OffsetCommitValue, ProtocolError, records } from '../../protocol/index.ts'
import { emptyGroup, type GroupSnapshot, type GroupState, type Member } from './classic/group-state.ts'

/** A record of `__consumer_offsets`; a null value is a tombstone. */
export interface OffsetsRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** An offset a group committed for one partition. */
export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestamp: number
}

/** What a record of `__consumer_offsets` says. Records of newer group types are left to the broker that wrote them. */
export type ReadOffsetsRecord =
  | {
      readonly kind: 'offset'
      readonly groupId: string
      readonly topic: string
      readonly partition: number
      readonly value: CommittedOffset | null
    }
  | { readonly kind: 'group'; readonly groupId: string; readonly value: GroupMetadataValue | null }
  | { readonly kind: 'other' }

/** The versions that all of Kafka 3 and 4 reads. */
const OFFSET_VALUE_VERSION = 3
const GROUP_VALUE_VERSION = 3

export function offsetRecord(
  groupId: string,
  topic: string,
  partition: number,
  value: CommittedOffset | null,
): OffsetsRecord {
  return {
    key: records.offsetCommitKey.encode({ group: groupId, topic, partition }),
    value: value === null ? null : records.offsetCommitValue.encode(offsetValue(value), OFFSET_VALUE_VERSION),
  }
}

function offsetValue(value: CommittedOffset): Partial<OffsetCommitValue> {
  const { offset, leaderEpoch, metadata, commitTimestamp } = value
  return { offset, leaderEpoch, metadata, commitTimestamp }
}

export function groupRecord(groupId: string, snapshot: GroupSnapshot | null): OffsetsRecord {
  const key = records.groupMetadataKey.encode({ group: groupId })
  if (snapshot === null) return { key, value: null }
  const value = {
    protocolType: snapshot.protocolType ?? '',
    generation: snapshot.generationId,
    protocol: snapshot.protocolName,
    leader: snapshot.leaderId,
    currentStateTimestamp: snapshot.phaseSinceMs,
    members: snapshot.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: member.metadata,
      assignment: member.assignment,
    })),
  }
  return { key, value: records.groupMetadataValue.encode(value, GROUP_VALUE_VERSION) }
}

/** Reads one record; throws ProtocolError for bytes that are none of Kafka's. */
export function readOffsetsRecord(key: Buffer, value: Buffer | null): ReadOffsetsRecord {
  if (key.length < 2) throw new ProtocolError('key of __consumer_offsets without a version')
  const kind = key.readInt16BE(0)
  if (kind === 0 || kind === 1) {
    // Version 0 and 1 of the key have the same fields; the codec insists on one of them.
    const sameKey = kind === 1 ? key : Buffer.concat([Buffer.from([0, 1]), key.subarray(2)])
    const { group, topic, partition } = records.offsetCommitKey.decode(sameKey).message
    const message = value === null ? null : records.offsetCommitValue.decode(value).message
    return { kind: 'offset', groupId: group, topic, partition, value: message === null ? null : committed(message) }
  }
  if (kind === 2) {
    const { group } = records.groupMetadataKey.decode(key).message
    return { kind: 'group', groupId: group, value: value && copied(records.groupMetadataValue.decode(value).message) }
  }
  return { kind: 'other' }
}

function committed(message: OffsetCommitValue): CommittedOffset {
  const { offset, leaderEpoch, metadata, commitTimestamp } = message
  return { offset, leaderEpoch, metadata, commitTimestamp }
}

/** The bytes of a decoded record are views of a read buffer that is not to be kept. */
function copied(value: GroupMetadataValue): GroupMetadataValue {
  const members = value.members.map((member) => ({
    ...member,
    subscription: Buffer.from(member.subscription),
    assignment: Buffer.from(member.assignment),
  }))
  return { ...value, members }
}

/**
 * A group as it was stored. A group with members is Stable, as in Kafka; one without a protocol was saved by a clean
 * shutdown in the middle of a rebalance, and collects joins again, so that nobody keeps an assignment that was being
 * replaced.
 */
export function restoredGroup(groupId: string, value: GroupMetadataValue, now: number): GroupState {
  const rebalancing = value.members.length > 0 && value.protocol === null
  const members = value.members.map(
    (member): Member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeout,
      sessionTimeoutMs: member.sessionTimeout,
      protocols: value.protocol === null ? [] : [{ name: value.protocol, metadata: member.subscription }],
      assignment: member.assignment,
      joinToken: null,
      syncToken: null,
      isNew: false,
      sessionDeadlineMs: now + member.sessionTimeout,
      connectionId: null,
      graceDeadlineMs: null,
    }),
  )
  const rebalanceTimeoutMs = Math.max(0, ...members.map((member) => member.rebalanceTimeoutMs))
  return {
    ...emptyGroup(groupId, value.currentStateTimestamp >= 0 ? value.currentStateTimestamp : now),
    phase: members.length === 0 ? 'Empty' : rebalancing ? 'PreparingRebalance' : 'Stable',
    generationId: value.generation,
    protocolType: value.protocolType === '' ? null : value.protocolType,
    protocolName: value.protocol,
    leaderId: value.leader,
    members: new Map(members.map((member) => [member.memberId, member])),
    staticMembers: new Map(
      members.flatMap((member) => (member.groupInstanceId === null ? [] : [[member.groupInstanceId, member.memberId]])),
    ),
    join: rebalancing
      ? { deadlineMs: now + rebalanceTimeoutMs, initial: false, remainingMs: 0, newMemberAdded: false }
      : null,
  }
}
