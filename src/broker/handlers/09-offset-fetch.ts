/*
 * OffsetFetch (9), versions 1 to 10.
 * 2: null for all topics, error of the whole answer. 5: leader epoch. 6: flexible. 7: require stable. 8: several groups.
 * 9: member id and epoch (new group protocol). 10: topics by id. What was never committed is offset -1 without an error.
 */
import { apis, ErrorCode, ZERO_UUID } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { defineHandler } from './handler.ts'

interface Wanted {
  readonly name: string
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}

export const offsetFetch = defineHandler({
  api: apis.offsetFetch,
  versions: [1, 10],
  handle(broker, request, { version }) {
    if (version < 8) {
      const wanted = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null
      return { errorCode: ErrorCode.NONE, topics: offsetsOf(broker, request.groupId, wanted, false) }
    }
    const groups = request.groups.map(({ groupId, topics }) => ({
      groupId,
      errorCode: ErrorCode.NONE,
      topics: offsetsOf(broker, groupId, topics, version >= 10),
    }))
    return { groups }
  },
})

function offsetsOf(broker: BrokerServices, groupId: string, wanted: readonly Wanted[] | null, byId: boolean) {
  const offsets = broker.groups.groups.get(groupId)?.offsets
  const asked = wanted ?? allTopics(broker, groupId)
  return asked.map(({ name: askedName, topicId: askedId, partitionIndexes }) => {
    const topic = byId ? broker.topics.getById(askedId) : broker.topics.get(askedName)
    const name = topic?.name ?? askedName
    const unknownId = byId && topic === undefined
    const partitions = partitionIndexes.map((partitionIndex) => {
      const committed = unknownId ? undefined : offsets?.get(name, partitionIndex)
      return {
        partitionIndex,
        committedOffset: committed?.offset ?? -1,
        committedLeaderEpoch: committed?.leaderEpoch ?? -1,
        metadata: committed?.metadata ?? '',
        errorCode: unknownId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.NONE,
      }
    })
    return { name, topicId: topic?.id ?? askedId, partitions }
  })
}

function allTopics(broker: BrokerServices, groupId: string): Wanted[] {
  const offsets = broker.groups.groups.get(groupId)?.offsets
  if (offsets === undefined) return []
  return [...offsets.topics()].map((name) => ({
    name,
    topicId: broker.topics.get(name)?.id ?? ZERO_UUID,
    partitionIndexes: offsets.partitionsOf(name),
  }))
}
