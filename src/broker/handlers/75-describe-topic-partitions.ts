/*
 * DescribeTopicPartitions (75), version 0.
 * Topics in the order of their names, cut after responsePartitionLimit partitions; the cursor says where to go on.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { topicNameError } from '../topics/topic-name.ts'
import type { Topic } from '../topics/topic-registry.ts'
import { defineHandler } from './handler.ts'

/** Kafka's max.request.partition.size.limit. */
const PARTITION_LIMIT = 2000

export const describeTopicPartitions = defineHandler({
  api: apis.describeTopicPartitions,
  versions: [0, 0],
  handle(broker, request) {
    const { cursor } = request
    const all = request.topics.length === 0
    const names = all ? [...broker.topics.all()].map(({ name }) => name) : request.topics.map(({ name }) => name)
    const wanted = [...new Set(names)].filter((name) => cursor === null || name >= cursor.topicName).toSorted()
    let room = Math.min(Math.max(1, request.responsePartitionLimit), PARTITION_LIMIT)
    const topics = []
    for (const name of wanted) {
      if (room === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } }
      const topic = broker.topics.get(name)
      if (topic === undefined) {
        topics.push(missing(name))
        continue
      }
      const from = cursor?.topicName === name ? Math.max(0, cursor.partitionIndex) : 0
      const to = Math.min(topic.logs.length, from + room)
      topics.push(described(broker, topic, from, to))
      room -= to - from
      if (to < topic.logs.length) return { topics, nextCursor: { topicName: name, partitionIndex: to } }
    }
    return { topics, nextCursor: null }
  },
})

function missing(name: string) {
  const invalid = topicNameError(name) !== undefined
  const errorCode = invalid ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return { errorCode, name, partitions: [] }
}

function described(broker: BrokerServices, topic: Topic, from: number, to: number) {
  const { nodeId } = broker.config
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.logs.slice(from, to).map((_, i) => ({
      errorCode: ErrorCode.NONE,
      partitionIndex: from + i,
      leaderId: nodeId,
      leaderEpoch: broker.topics.leaderEpoch,
      replicaNodes: [nodeId],
      isrNodes: [nodeId],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    })),
  }
}
