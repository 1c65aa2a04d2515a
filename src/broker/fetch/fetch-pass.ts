import type { Log } from '../../log/index.ts'
import { ErrorCode, type FetchResponsePartitionData, ZERO_UUID } from '../../protocol/index.ts'
import { iterateBatches } from '../../record/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { FetchPartition } from './fetch-sessions.ts'

/** The parts of a fetch request that are the same for all its partitions. */
export interface FetchLimits {
  readonly maxBytes: number
  readonly readCommitted: boolean
  /** Fetch before version 10 cannot carry zstd. */
  readonly allowZstd: boolean
  readonly byId: boolean
}

export type PartitionAnswer = Partial<FetchResponsePartitionData> & { partitionIndex: number; records: Buffer }

/** What one look at all partitions of a fetch found. */
export interface FetchPass {
  readonly answers: readonly PartitionAnswer[]
  readonly bytes: number
  readonly hasError: boolean
  /** Buffers of the pool that the records lie in. */
  readonly memory: readonly Buffer[]
}

const NO_RECORDS = Buffer.alloc(0)

/** The log a partition of a fetch means, or the error to answer. */
export function fetchedLog(broker: BrokerServices, asked: FetchPartition, byId: boolean): Log | number {
  const topic = byId ? broker.topics.getById(asked.topicId) : broker.topics.get(asked.topic)
  if (topic === undefined && byId) {
    return asked.topicId === ZERO_UUID ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.UNKNOWN_TOPIC_ID
  }
  return topic?.logs[asked.partition] ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

/** 74 for a client that knows an older leader epoch than ours, 75 for one that claims a newer one. */
export function leaderEpochError(current: number, asked: number): number {
  if (asked < 0 || asked === current) return ErrorCode.NONE
  return asked < current ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH
}

/** Reads all partitions of a fetch once, in their order, until the bytes are used up. */
export function fetchPass(
  broker: BrokerServices,
  partitions: readonly FetchPartition[],
  limits: FetchLimits,
): FetchPass {
  const answers: PartitionAnswer[] = []
  const memory: Buffer[] = []
  const allocate = (size: number) => {
    const buffer = broker.pool.take(size)
    memory.push(buffer)
    return buffer
  }
  let bytes = 0
  let hasError = false
  for (const asked of partitions) {
    const answer = readOne(broker, asked, limits, bytes, allocate)
    answers.push(answer)
    bytes += answer.records.length
    if (answer.errorCode !== ErrorCode.NONE) hasError = true
  }
  return { answers, bytes, hasError, memory }
}

/** Gives back what a look has read, when it is not answered. */
export function discard(broker: BrokerServices, pass: FetchPass): void {
  for (const buffer of pass.memory) broker.pool.give(buffer)
}

function readOne(
  broker: BrokerServices,
  asked: FetchPartition,
  limits: FetchLimits,
  used: number,
  allocate: (size: number) => Buffer,
): PartitionAnswer {
  const log = fetchedLog(broker, asked, limits.byId)
  if (typeof log === 'number') return failed(asked.partition, log)
  const fenced = leaderEpochError(broker.topics.leaderEpoch, asked.currentLeaderEpoch)
  if (fenced !== ErrorCode.NONE) {
    const currentLeader = { leaderId: broker.config.nodeId, leaderEpoch: broker.topics.leaderEpoch }
    return { ...failed(asked.partition, fenced), currentLeader }
  }
  const room = Math.max(0, Math.min(asked.maxBytes, limits.maxBytes - used))
  // KIP-74: the first records of an answer are given even when they are larger than allowed, or the client would hang.
  const result = log.read(asked.fetchOffset, room, {
    minOneBatch: used === 0,
    allocate,
    upTo: limits.readCommitted ? 'lastStableOffset' : 'highWatermark',
  })
  if (result.error !== undefined) return failed(asked.partition, ErrorCode[result.error])
  if (!limits.allowZstd && containsZstd(result.records)) {
    return failed(asked.partition, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
  }
  return {
    partitionIndex: asked.partition,
    errorCode: ErrorCode.NONE,
    highWatermark: result.highWatermark,
    lastStableOffset: result.lastStableOffset,
    logStartOffset: result.logStartOffset,
    abortedTransactions: limits.readCommitted ? [] : null,
    preferredReadReplica: -1,
    records: result.records,
  }
}

function failed(partitionIndex: number, errorCode: number): PartitionAnswer {
  return {
    partitionIndex,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: NO_RECORDS,
  }
}

function containsZstd(records: Buffer): boolean {
  for (const header of iterateBatches(records)) if (header.codec === 'zstd') return true
  return false
}
