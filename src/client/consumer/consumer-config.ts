import { configError } from '../client-config.ts'
import { cooperativeStickyAssignor, stickyAssignor } from './assignors/sticky.ts'
import type { Assignor, TopicPartition } from './assignors/assignor.ts'
import { rangeAssignor } from './assignors/range.ts'
import { roundRobinAssignor } from './assignors/round-robin.ts'

export type AssignorName = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky'

/**
 * Told of what a rebalance changes, inside `poll` (and `close`). Cooperative assignors call `onRevoked` with just what
 * moves away and `onAssigned` with just what is new; eager ones with everything.
 */
export interface RebalanceListener {
  onAssigned?(partitions: readonly TopicPartition[]): void | Promise<void>
  /** Offsets may still be committed here. */
  onRevoked?(partitions: readonly TopicPartition[]): void | Promise<void>
  /** Others may own the partitions already: commits will be refused. Default: `onRevoked`. */
  onLost?(partitions: readonly TopicPartition[]): void | Promise<void>
}

export interface ConsumerOptions {
  readonly groupId?: string
  readonly groupInstanceId?: string | null
  readonly sessionTimeoutMs?: number
  readonly heartbeatIntervalMs?: number
  readonly maxPollIntervalMs?: number
  readonly maxPollRecords?: number
  /** Most wanted first. Default: range, cooperative-sticky, as Kafka. */
  readonly partitionAssignmentStrategy?: readonly AssignorName[]
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none'
  readonly enableAutoCommit?: boolean
  readonly autoCommitIntervalMs?: number
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed'
  readonly fetchMinBytes?: number
  readonly fetchMaxBytes?: number
  readonly fetchMaxWaitMs?: number
  readonly maxPartitionFetchBytes?: number
  /** Most bytes of fetched records that wait for `poll`, over all partitions. */
  readonly prefetchMaxBytes?: number
  readonly checkCrcs?: boolean
}

export interface ConsumerConfig {
  readonly groupId: string | undefined
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
  readonly maxPollRecords: number
  readonly assignors: readonly Assignor[]
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none'
  readonly enableAutoCommit: boolean
  readonly autoCommitIntervalMs: number
  readonly readCommitted: boolean
  readonly fetchMinBytes: number
  readonly fetchMaxBytes: number
  readonly fetchMaxWaitMs: number
  readonly maxPartitionFetchBytes: number
  readonly prefetchMaxBytes: number
  readonly checkCrcs: boolean
}

const ASSIGNORS: Readonly<Record<AssignorName, Assignor>> = {
  range: rangeAssignor,
  roundrobin: roundRobinAssignor,
  sticky: stickyAssignor,
  'cooperative-sticky': cooperativeStickyAssignor,
}

function assignorOf(name: AssignorName): Assignor {
  const assignor = ASSIGNORS[name]
  if (!assignor) {
    const known = Object.keys(ASSIGNORS).join(', ')
    throw configError('partition.assignment.strategy', name, `use one of ${known}`)
  }
  return assignor
}

export function resolveConsumerConfig(options: ConsumerOptions): ConsumerConfig {
  const names = options.partitionAssignmentStrategy ?? ['range', 'cooperative-sticky']
  const config: ConsumerConfig = {
    groupId: options.groupId,
    groupInstanceId: options.groupInstanceId ?? null,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 45_000,
    heartbeatIntervalMs: options.heartbeatIntervalMs ?? 3000,
    maxPollIntervalMs: options.maxPollIntervalMs ?? 300_000,
    maxPollRecords: options.maxPollRecords ?? 500,
    assignors: names.map(assignorOf),
    autoOffsetReset: options.autoOffsetReset ?? 'latest',
    enableAutoCommit: options.enableAutoCommit ?? options.groupId !== undefined,
    autoCommitIntervalMs: options.autoCommitIntervalMs ?? 5000,
    readCommitted: options.isolationLevel === 'read_committed',
    fetchMinBytes: options.fetchMinBytes ?? 1,
    fetchMaxBytes: options.fetchMaxBytes ?? 52_428_800,
    fetchMaxWaitMs: options.fetchMaxWaitMs ?? 500,
    maxPartitionFetchBytes: options.maxPartitionFetchBytes ?? 1_048_576,
    prefetchMaxBytes: options.prefetchMaxBytes ?? 52_428_800,
    checkCrcs: options.checkCrcs ?? true,
  }
  if (names.length === 0) throw configError('partition.assignment.strategy', '', 'at least one assignor is needed')
  if (config.maxPollRecords < 1) throw configError('max.poll.records', config.maxPollRecords, 'must be at least 1')
  if (config.enableAutoCommit && config.groupId === undefined) {
    throw configError('enable.auto.commit', true, 'needs a group.id')
  }
  return config
}

/** Whether what is owned stays owned during a rebalance: only when every assignor can do it (KIP-429). */
export function isCooperative(config: ConsumerConfig): boolean {
  return config.assignors.every((assignor) => assignor.protocol === 'cooperative')
}
