/*
 * OffsetDelete (47), version 0, never flexible.
 * Unknown group 69; a group of another type with members 68; a topic the group's members read 86; unknown partition 3.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { subscribedTopics } from '../groups/group-offsets.ts'
import { defineHandler } from './handler.ts'

export const offsetDelete = defineHandler({
  api: apis.offsetDelete,
  versions: [0, 0],
  async handle(broker, request) {
    const group = broker.groups.groups.get(request.groupId)
    if (group === undefined) return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND }
    const hasMembers = group.state.members.size > 0
    const subscribed = hasMembers ? subscribedTopics(group.state) : new Set<string>()
    if (subscribed === undefined) return { errorCode: ErrorCode.NON_EMPTY_GROUP }
    const dropped: { topic: string; partition: number }[] = []
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        let errorCode: number = ErrorCode.NONE
        if (broker.topics.log(name, partitionIndex) === undefined) errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        else if (subscribed.has(name)) errorCode = ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC
        else dropped.push({ topic: name, partition: partitionIndex })
        return { partitionIndex, errorCode }
      }),
    }))
    await broker.groups.dropOffsets(request.groupId, dropped)
    return { errorCode: ErrorCode.NONE, topics }
  },
})
