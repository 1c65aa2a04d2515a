import type { Clock, Logger, Random, Timer } from '../../base/index.ts'
import { ErrorCode } from '../../protocol/index.ts'
import {
  CONNECT_PROTOCOL_TYPE,
  emptyGroup,
  type GroupAction,
  type GroupConfig,
  type GroupEvent,
  type GroupReply,
  type GroupSnapshot,
  type GroupState,
  type JoinEvent,
  type JoinReply,
  type LeaveReply,
  nextDeadline,
  type SyncEvent,
  type SyncReply,
} from './classic/group-state.ts'
import { snapshotOf } from './classic/draft.ts'
import { step } from './classic/step.ts'
import { GroupOffsets } from './group-offsets.ts'
import {
  type CommittedOffset,
  groupRecord,
  offsetRecord,
  type OffsetsRecord,
  readOffsetsRecord,
  restoredGroup,
} from './group-records.ts'

/** Where the records of groups go: `__consumer_offsets`, as the coordinator sees it. */
export interface OffsetsLog {
  /** Resolves when the records are durable; rejects when they cannot be written. */
  append(groupId: string, records: readonly OffsetsRecord[]): Promise<void>
}

/** A group with its offsets, as long as it is known. */
export interface Group {
  state: GroupState
  readonly offsets: GroupOffsets
  timer: Timer | undefined
  timerDeadlineMs: number
}

export interface GroupCoordinatorOptions {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly offsetsLog: OffsetsLog
  readonly config: GroupConfig & { readonly offsetsRetentionMs: number }
}

/** An offset to commit. */
export interface OffsetToCommit extends CommittedOffset {
  readonly topic: string
  readonly partition: number
}

export interface RequestOrigin {
  readonly connectionId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

interface Waiting {
  readonly kind: GroupEvent['type']
  readonly resolve: (reply: GroupReply) => void
}

type NewJoin = Omit<JoinEvent, 'type' | 'now' | 'token' | 'newMemberId'>
type NewSync = Omit<SyncEvent, 'type' | 'now' | 'token'>

/** Drives the state machines of all groups: requests in, replies and records out, one timer per group that needs one. */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions
  readonly #groups = new Map<string, Group>()
  readonly #waiting = new Map<number, Waiting>()
  readonly #writes = new Set<Promise<void>>()
  #nextToken = 1
  /** Commits that are in the log, or on their way, and not in memory. */
  #unapplied = 0
  #closed = false

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options
  }

  get groups(): ReadonlyMap<string, Group> {
    return this.#groups
  }

  /** Takes one record of `__consumer_offsets` in at start. */
  load(key: Buffer, value: Buffer | null): void {
    const record = readOffsetsRecord(key, value)
    if (record.kind === 'other') return
    const now = this.#options.clock.now()
    const group = this.#groups.get(record.groupId)
    if (record.kind === 'group') {
      if (record.value === null) {
        if (group !== undefined) group.state = emptyGroup(record.groupId, now)
        return
      }
      const state = restoredGroup(record.groupId, record.value, now)
      if (group === undefined) this.#add(state)
      else group.state = state
      return
    }
    if (record.value === null) group?.offsets.delete(record.topic, record.partition)
    else (group ?? this.#add(emptyGroup(record.groupId, now))).offsets.set(record.topic, record.partition, record.value)
  }

  /** All records are loaded: groups without anything are forgotten, sessions start to run. */
  loaded(): void {
    for (const [groupId, group] of this.#groups) {
      if (group.state.phase === 'Empty' && group.offsets.size === 0 && group.state.generationId === 0) {
        this.#groups.delete(groupId)
      } else {
        this.#arm(group)
      }
    }
  }

  join(groupId: string, request: NewJoin): Promise<JoinReply> {
    const { memberId } = request
    const group = this.#groups.get(groupId) ?? (memberId === '' ? this.#add(this.#empty(groupId)) : undefined)
    const newMemberId = `${request.groupInstanceId ?? request.clientId}-${this.#options.random.uuid()}`
    if (group === undefined) return Promise.resolve(unknownMember(memberId))
    return this.#ask(group, (token, now) => ({ ...request, type: 'join', token, now, newMemberId }))
  }

  sync(groupId: string, request: NewSync): Promise<SyncReply> {
    const group = this.#groups.get(groupId)
    if (group === undefined) return Promise.resolve(UNKNOWN_SYNC)
    return this.#ask(group, (token, now) => ({ ...request, type: 'sync', token, now }))
  }

  async heartbeat(groupId: string, origin: RequestOrigin): Promise<number> {
    const group = this.#groups.get(groupId)
    if (group === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    const reply = await this.#ask(group, (token, now) => ({ ...origin, type: 'heartbeat', token, now }))
    return reply.errorCode
  }

  leave(
    groupId: string,
    connectionId: number,
    members: readonly { memberId: string; groupInstanceId: string | null }[],
  ): Promise<LeaveReply> {
    const group = this.#groups.get(groupId)
    if (group === undefined) {
      const unknown = members.map((member) => ({ ...member, errorCode: ErrorCode.UNKNOWN_MEMBER_ID }))
      return Promise.resolve({ kind: 'leave', errorCode: ErrorCode.NONE, members: unknown })
    }
    return this.#ask(group, (token, now) => ({ type: 'leave', token, now, connectionId, members }))
  }

  /** Commits the offsets that were found good; answers one error for all of them. */
  async commitOffsets(groupId: string, origin: RequestOrigin, offsets: readonly OffsetToCommit[]): Promise<number> {
    let group = this.#groups.get(groupId)
    if (group === undefined) {
      if (origin.generationId >= 0) return ErrorCode.ILLEGAL_GENERATION
      if (origin.memberId !== '' || origin.groupInstanceId !== null) return ErrorCode.UNKNOWN_MEMBER_ID
      group = this.#add(this.#empty(groupId))
    }
    const { errorCode } = await this.#ask(group, (token, now) => ({ ...origin, type: 'commit', token, now }))
    if (errorCode !== ErrorCode.NONE || offsets.length === 0) return errorCode
    this.#unapplied++
    try {
      await this.#write(
        groupId,
        offsets.map((offset) => offsetRecord(groupId, offset.topic, offset.partition, offset)),
      )
    } catch (error) {
      this.#options.logger.error({ group: groupId, err: error }, 'cannot write committed offsets')
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    } finally {
      this.#unapplied--
    }
    for (const { topic, partition, offset, leaderEpoch, metadata, commitTimestamp } of offsets) {
      group.offsets.set(topic, partition, { offset, leaderEpoch, metadata, commitTimestamp })
    }
    return ErrorCode.NONE
  }

  /** Deletes a group that has no members, with its offsets. */
  async delete(groupId: string): Promise<number> {
    const group = this.#groups.get(groupId)
    if (group === undefined) return ErrorCode.GROUP_ID_NOT_FOUND
    const reply = await this.#ask(group, (token, now) => ({ type: 'delete', token, now }))
    return reply.errorCode
  }

  /** Writes tombstones for these offsets and forgets them. */
  async dropOffsets(groupId: string, dropped: readonly { topic: string; partition: number }[]): Promise<void> {
    const group = this.#groups.get(groupId)
    const known = dropped.filter(({ topic, partition }) => group?.offsets.get(topic, partition) !== undefined)
    if (group === undefined || known.length === 0) return
    for (const { topic, partition } of known) group.offsets.delete(topic, partition)
    await this.#write(
      groupId,
      known.map(({ topic, partition }) => offsetRecord(groupId, topic, partition, null)),
    )
  }

  /** A topic is gone: so are the offsets that groups had in it. */
  async topicDeleted(topic: string): Promise<void> {
    for (const [groupId, group] of this.#groups) {
      const partitions = group.offsets.partitionsOf(topic)
      await this.dropOffsets(
        groupId,
        partitions.map((partition) => ({ topic, partition })),
      )
    }
  }

  /** KIP-211: drops offsets that nobody has used for the retention, and groups that have nothing left. */
  async expire(): Promise<void> {
    const now = this.#options.clock.now()
    const { offsetsRetentionMs } = this.#options.config
    for (const [groupId, group] of this.#groups) {
      const expired = group.offsets.expired(group.state, now, offsetsRetentionMs)
      await this.dropOffsets(groupId, expired)
      const { phase, pendingJoins } = group.state
      if (phase === 'Empty' && group.offsets.size === 0 && pendingJoins.size === 0) await this.delete(groupId)
    }
  }

  /** Whether what is in memory is all that the log says: true only until the next turn. */
  get isSettled(): boolean {
    return this.#unapplied === 0
  }

  /** Waits for the records that are on their way to the log now. */
  async writesDone(): Promise<void> {
    await Promise.allSettled(this.#writes)
  }

  /** The records from which a restart would find these groups as they are now. */
  *recordsOf(belongs: (groupId: string) => boolean): Generator<OffsetsRecord> {
    for (const [groupId, { state, offsets }] of this.#groups) {
      if (!belongs(groupId)) continue
      if (state.generationId > 0 || state.members.size > 0) yield groupRecord(groupId, storable(state))
      for (const { topic, partition, committed } of offsets.all()) {
        yield offsetRecord(groupId, topic, partition, committed)
      }
    }
  }

  connectionClosed(connectionId: number): void {
    if (this.#closed) return
    for (const group of this.#groups.values()) {
      if (group.state.protocolType !== CONNECT_PROTOCOL_TYPE) continue
      this.#step(group, { type: 'connection-lost', now: this.#options.clock.now(), connectionId })
    }
  }

  /** Sends everybody who waits for a rebalance away: they ask for the coordinator again, which is back after the restart. */
  releaseWaiting(): void {
    for (const [token, { kind, resolve }] of this.#waiting) {
      this.#waiting.delete(token)
      const errorCode = ErrorCode.NOT_COORDINATOR
      if (kind === 'join') resolve({ ...unknownMember(''), errorCode })
      else if (kind === 'sync') resolve({ ...UNKNOWN_SYNC, errorCode })
      else resolve({ kind: 'code', errorCode })
    }
  }

  /** No request is taken any more. Saves groups that are in the middle of a rebalance as such, and waits for all writes. */
  async close(): Promise<void> {
    this.#closed = true
    for (const [groupId, group] of this.#groups) {
      group.timer?.cancel()
      const { phase } = group.state
      if (phase !== 'PreparingRebalance' && phase !== 'CompletingRebalance') continue
      await this.#write(groupId, [groupRecord(groupId, storable(group.state))])
    }
    await Promise.allSettled(this.#writes)
  }

  #empty(groupId: string): GroupState {
    return emptyGroup(groupId, this.#options.clock.now())
  }

  #add(state: GroupState): Group {
    const group: Group = {
      state,
      offsets: new GroupOffsets(),
      timer: undefined,
      timerDeadlineMs: Number.POSITIVE_INFINITY,
    }
    this.#groups.set(state.groupId, group)
    return group
  }

  #ask<R extends GroupReply>(group: Group, event: (token: number, now: number) => GroupEvent): Promise<R> {
    return new Promise((resolve) => {
      const token = this.#nextToken++
      const asked = event(token, this.#options.clock.now())
      this.#waiting.set(token, { kind: asked.type, resolve: resolve as (reply: GroupReply) => void })
      this.#step(group, asked)
    })
  }

  #step(group: Group, event: GroupEvent): void {
    const before = group.state
    const [state, actions] = step(before, event, this.#options.config)
    group.state = state
    if (state.phase !== before.phase || state.generationId !== before.generationId) {
      const { groupId, phase, generationId, members } = state
      this.#options.logger.info({ group: groupId, phase, generationId, members: members.size }, 'group changed')
    }
    for (const action of actions) this.#perform(group, action)
    this.#arm(group)
  }

  #perform(group: Group, action: GroupAction): void {
    switch (action.type) {
      case 'reply': {
        const waiting = this.#waiting.get(action.token)
        this.#waiting.delete(action.token)
        waiting?.resolve(action.reply)
        return
      }
      case 'persist':
        this.#persist(group, action.persistId, action.snapshot)
        return
      case 'tombstone':
        this.#forget(group)
    }
  }

  #persist(group: Group, persistId: number, snapshot: GroupSnapshot): void {
    const { groupId } = group.state
    this.#write(groupId, [groupRecord(groupId, snapshot)]).then(
      () => this.#step(group, { type: 'persisted', persistId, now: this.#options.clock.now() }),
      (error: unknown) => {
        this.#options.logger.error({ group: groupId, err: error }, 'cannot write the state of a group')
        const errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE
        this.#step(group, { type: 'persist-failed', persistId, errorCode, now: this.#options.clock.now() })
      },
    )
  }

  #forget(group: Group): void {
    const { groupId } = group.state
    this.#groups.delete(groupId)
    const tombstones = [...group.offsets.all()].map((o) => offsetRecord(groupId, o.topic, o.partition, null))
    this.#write(groupId, [...tombstones, groupRecord(groupId, null)]).catch((error: unknown) => {
      // The group comes back after a restart; deleting it again is harmless.
      this.#options.logger.error({ group: groupId, err: error }, 'cannot write the tombstones of a deleted group')
    })
  }

  #write(groupId: string, entries: readonly OffsetsRecord[]): Promise<void> {
    const write = this.#options.offsetsLog.append(groupId, entries)
    this.#writes.add(write)
    const done = () => this.#writes.delete(write)
    write.then(done, done)
    return write
  }

  /** Sets the timer of a group; one that is early enough already is kept, because sessions are renewed all the time. */
  #arm(group: Group): void {
    if (this.#closed) return
    const deadlineMs = nextDeadline(group.state)
    if (group.timer !== undefined && group.timerDeadlineMs <= deadlineMs) return
    group.timer?.cancel()
    group.timer = undefined
    if (deadlineMs === Number.POSITIVE_INFINITY) return
    const { clock } = this.#options
    group.timerDeadlineMs = deadlineMs
    group.timer = clock.setTimer(
      Math.max(0, deadlineMs - clock.now()),
      () => {
        group.timer = undefined
        if (!this.#closed) this.#step(group, { type: 'tick', now: clock.now() })
      },
      { unref: true },
    )
  }
}

/** A group in the middle of a rebalance is stored without a protocol, and so found to be rebalancing again. */
function storable(state: GroupState): GroupSnapshot {
  const snapshot = snapshotOf(state)
  const rebalancing = state.phase === 'PreparingRebalance' || state.phase === 'CompletingRebalance'
  return rebalancing ? { ...snapshot, protocolName: null } : snapshot
}

const UNKNOWN_SYNC: SyncReply = {
  kind: 'sync',
  errorCode: ErrorCode.UNKNOWN_MEMBER_ID,
  protocolType: null,
  protocolName: null,
  assignment: Buffer.alloc(0),
}

function unknownMember(memberId: string): JoinReply {
  return {
    kind: 'join',
    errorCode: ErrorCode.UNKNOWN_MEMBER_ID,
    memberId,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    skipAssignment: false,
    members: [],
  }
}
