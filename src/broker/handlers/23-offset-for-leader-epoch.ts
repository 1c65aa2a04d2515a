/*
 * OffsetForLeaderEpoch (23), versions 2 to 4.
 * 3: replica id, -2 for a debugging consumer. 4: flexible. Answers the largest epoch that is not above the one asked for,
 * and where it ends; -1 and -1 when the epoch is not known.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { leaderEpochError } from '../fetch/fetch-pass.ts'
import { defineHandler } from './handler.ts'

export const offsetForLeaderEpoch = defineHandler({
  api: apis.offsetForLeaderEpoch,
  versions: [2, 4],
  handle(broker, request) {
    const topics = request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
        const failed = (errorCode: number) => ({ partition, errorCode, leaderEpoch: -1, endOffset: -1 })
        const log = broker.topics.log(topic, partition)
        if (log === undefined) return failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        const fenced = leaderEpochError(broker.topics.leaderEpoch, currentLeaderEpoch)
        if (fenced !== ErrorCode.NONE) return failed(fenced)
        // The epoch of this start ends where the log does, even if nothing was written in it yet.
        if (leaderEpoch === broker.topics.leaderEpoch) {
          return { partition, errorCode: ErrorCode.NONE, leaderEpoch, endOffset: log.logEndOffset }
        }
        return { partition, errorCode: ErrorCode.NONE, ...log.endOffsetForEpoch(leaderEpoch) }
      }),
    }))
    return { topics }
  },
})
