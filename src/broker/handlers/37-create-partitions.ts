/*
 * CreatePartitions (37), versions 0 to 3.
 * 2: flexible. 3: throttling error. The count is the new total: not more than now is 37, an unknown topic 3, a bad
 * assignment 39, a topic named twice 42.
 */
import { apis, type CreatePartitionsRequestCreatePartitionsTopic, ErrorCode } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { MAX_PARTITIONS_PER_TOPIC } from '../topics/topic-registry.ts'
import { defineHandler } from './handler.ts'

export const createPartitions = defineHandler({
  api: apis.createPartitions,
  versions: [0, 3],
  handle(broker, request) {
    const counts = new Map<string, number>()
    for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
    const results = []
    for (const topic of request.topics) {
      const count = counts.get(topic.name)
      if (count === undefined) continue
      counts.delete(topic.name)
      const refusal: Refusal | undefined =
        count > 1 ? [ErrorCode.INVALID_REQUEST, 'Duplicate topic name.'] : refusalOf(broker, topic)
      if (refusal === undefined && !request.validateOnly) broker.topics.addPartitions(topic.name, topic.count)
      const [errorCode, errorMessage] = refusal ?? [ErrorCode.NONE, null]
      results.push({ name: topic.name, errorCode, errorMessage })
    }
    return { results }
  },
})

type Refusal = readonly [errorCode: number, errorMessage: string]

function refusalOf(broker: BrokerServices, asked: CreatePartitionsRequestCreatePartitionsTopic): Refusal | undefined {
  const topic = broker.topics.get(asked.name)
  if (topic === undefined) return [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic '${asked.name}' does not exist.`]
  const current = topic.logs.length
  if (asked.count <= current) {
    const how = asked.count === current ? 'already has' : 'currently has'
    const message = `Topic ${how} ${current} partition(s), which is not less than the requested ${asked.count}.`
    return [ErrorCode.INVALID_PARTITIONS, message]
  }
  if (asked.count > MAX_PARTITIONS_PER_TOPIC) {
    return [ErrorCode.INVALID_PARTITIONS, `Number of partitions must be at most ${MAX_PARTITIONS_PER_TOPIC}.`]
  }
  if (asked.assignments === null) return undefined
  const { nodeId } = broker.config
  const fits =
    asked.assignments.length === asked.count - current &&
    asked.assignments.every(({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === nodeId)
  if (fits) return undefined
  const message = `The assignment must name broker ${nodeId} for each of the ${asked.count - current} new partition(s).`
  return [ErrorCode.INVALID_REPLICA_ASSIGNMENT, message]
}
