/*
 * OffsetCommit (8), versions 2 to 10.
 * 5: no retention time. 6: leader epoch. 7: group.instance.id. 8: flexible. 10: topics by id (KIP-848).
 * Unknown partition 3 (or 100 by id), metadata longer than offset.metadata.max.bytes 12, the rest of the group's own checks.
 */
import { apis, ErrorCode, type OffsetCommitRequestPartition } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { OffsetToCommit } from '../groups/group-coordinator.ts'
import { defineHandler } from './handler.ts'

export const offsetCommit = defineHandler({
  api: apis.offsetCommit,
  versions: [2, 10],
  async handle(broker, request, context) {
    const byId = context.version >= 10
    const commitTimestamp = broker.clock.now()
    const accepted: OffsetToCommit[] = []
    const metadataMaxBytes = broker.config.number('offset.metadata.max.bytes')
    const topics = request.topics.map(({ name, topicId, partitions }) => {
      const topic = byId ? broker.topics.getById(topicId) : broker.topics.get(name)
      const results = partitions.map((partition) => {
        let errorCode: number = ErrorCode.NONE
        if (topic === undefined && byId) errorCode = ErrorCode.UNKNOWN_TOPIC_ID
        else if (topic === undefined || partition.partitionIndex >= topic.logs.length || partition.partitionIndex < 0) {
          errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        } else if (Buffer.byteLength(partition.committedMetadata ?? '') > metadataMaxBytes) {
          errorCode = ErrorCode.OFFSET_METADATA_TOO_LARGE
        } else {
          accepted.push(toCommit(topic.name, partition, commitTimestamp))
        }
        return { partitionIndex: partition.partitionIndex, errorCode }
      })
      return { name: topic?.name ?? name, topicId, partitions: results }
    })
    const errorCode = await commit(broker, request, context.connection.id, accepted)
    if (errorCode !== ErrorCode.NONE) {
      for (const { partitions } of topics) {
        for (const partition of partitions) if (partition.errorCode === ErrorCode.NONE) partition.errorCode = errorCode
      }
    }
    return { topics }
  },
})

function commit(
  broker: BrokerServices,
  request: {
    groupId: string
    generationIdOrMemberEpoch: number
    memberId: string
    groupInstanceId: string | null
  },
  connectionId: number,
  accepted: OffsetToCommit[],
): Promise<number> | number {
  const { groupId, generationIdOrMemberEpoch: generationId, memberId, groupInstanceId } = request
  // An empty group id is allowed for consumers that assign by hand; Kafka accepts it too.
  const origin = { connectionId, memberId, groupInstanceId, generationId }
  return broker.groups.commitOffsets(groupId, origin, accepted)
}

function toCommit(topic: string, partition: OffsetCommitRequestPartition, commitTimestamp: number): OffsetToCommit {
  return {
    topic,
    partition: partition.partitionIndex,
    offset: partition.committedOffset,
    leaderEpoch: partition.committedLeaderEpoch,
    metadata: partition.committedMetadata ?? '',
    commitTimestamp,
  }
}
