/*
 * ListOffsets (2), versions 1 to 11.
 * 2: isolation level. 4: leader epoch. 6: flexible. 7: -3 (largest timestamp). 8: -4 (earliest on this machine).
 * 9: -5 (latest in tiered storage). 10: timeout. 11: -6 (earliest not yet uploaded).
 * Nothing found is offset -1 and timestamp -1 without an error. The leader epoch is that of the record found.
 */
import type { Log } from '../../log/index.ts'
import { apis, ErrorCode } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { leaderEpochError } from '../fetch/fetch-pass.ts'
import { defineHandler } from './handler.ts'

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6

/** The first version in which a special timestamp means something. */
const SINCE: Readonly<Record<number, number>> = {
  [MAX_TIMESTAMP]: 7,
  [EARLIEST_LOCAL]: 8,
  [LATEST_TIERED]: 9,
  [EARLIEST_PENDING_UPLOAD]: 11,
}
const READ_COMMITTED = 1

interface FoundOffset {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

const NOT_FOUND: FoundOffset = { offset: -1, timestamp: -1, leaderEpoch: -1 }

export const listOffsets = defineHandler({
  api: apis.listOffsets,
  versions: [1, 11],
  handle(broker, request, { version }) {
    const readCommitted = request.isolationLevel === READ_COMMITTED
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, currentLeaderEpoch, timestamp }) => {
        const failed = (errorCode: number) => ({ partitionIndex, errorCode, ...NOT_FOUND })
        const log = broker.topics.log(name, partitionIndex)
        if (log === undefined) return failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        const fenced = leaderEpochError(broker.topics.leaderEpoch, currentLeaderEpoch)
        if (fenced !== ErrorCode.NONE) return failed(fenced)
        if (timestamp < 0 && !isKnown(timestamp, version)) return failed(ErrorCode.UNSUPPORTED_VERSION)
        return { partitionIndex, errorCode: ErrorCode.NONE, ...find(broker, log, timestamp, readCommitted) }
      }),
    }))
    return { topics }
  },
})

function isKnown(timestamp: number, version: number): boolean {
  return timestamp === LATEST || timestamp === EARLIEST || version >= (SINCE[timestamp] ?? Number.POSITIVE_INFINITY)
}

function find(broker: BrokerServices, log: Log, timestamp: number, readCommitted: boolean): FoundOffset {
  switch (timestamp) {
    case LATEST: {
      const offset = readCommitted ? log.lastStableOffset : log.highWatermark
      return { offset, timestamp: -1, leaderEpoch: broker.topics.leaderEpoch }
    }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: log.logStartOffset, timestamp: -1, leaderEpoch: log.epochAt(log.logStartOffset) }
    case MAX_TIMESTAMP:
      return log.offsetOfMaxTimestamp() ?? NOT_FOUND
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOT_FOUND
    default:
      return log.offsetForTimestamp(timestamp) ?? NOT_FOUND
  }
}
