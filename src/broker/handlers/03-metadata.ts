/*
 * Metadata (3), versions 0 to 13.
 * 0: an empty list asks for all topics; from 1 on null does. 2: cluster id. 4: the client says whether topics may be created.
 * 5: offline replicas. 7: leader epoch. 8: authorised operations. 9: flexible. 10: topic ids (KIP-516). 12: ask by id.
 * 13: error of the whole answer. A topic is created before it is answered, never described without a leader.
 */
import { apis, ErrorCode, type MetadataRequest, ZERO_UUID } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { topicNameError } from '../topics/topic-name.ts'
import type { Topic } from '../topics/topic-registry.ts'
import { defineHandler } from './handler.ts'

export const metadata = defineHandler({
  api: apis.metadata,
  versions: [0, 13],
  handle(broker, request, { version, connection }) {
    const { nodeId } = broker.config
    const { host, port } = connection.advertised
    const rack = broker.config.stringOrNull('broker.rack')
    return {
      brokers: [{ nodeId, host, port, rack }],
      clusterId: broker.clusterId,
      controllerId: nodeId,
      topics: askedTopics(broker, request, version),
    }
  },
})

function askedTopics(broker: BrokerServices, request: MetadataRequest, version: number) {
  const { topics: asked } = request
  const all = asked === null || (version === 0 && asked.length === 0)
  if (all) return [...broker.topics.all()].map((topic) => described(broker, topic))
  const mayCreate =
    broker.config.boolean('auto.create.topics.enable') && (version < 4 || request.allowAutoTopicCreation)
  return asked.map(({ name, topicId }) => {
    if (topicId !== ZERO_UUID) {
      const topic = broker.topics.getById(topicId)
      return topic ? described(broker, topic) : missing(name, topicId, ErrorCode.UNKNOWN_TOPIC_ID)
    }
    if (name === null) return missing(null, topicId, ErrorCode.INVALID_REQUEST)
    const topic = broker.topics.get(name)
    if (topic !== undefined) return described(broker, topic)
    if (topicNameError(name) !== undefined) return missing(name, topicId, ErrorCode.INVALID_TOPIC_EXCEPTION)
    if (!mayCreate || broker.topics.collision(name) !== undefined) {
      return missing(name, topicId, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    }
    return described(broker, broker.topics.create({ name, partitions: broker.config.number('num.partitions') }))
  })
}

function missing(name: string | null, topicId: string, errorCode: number) {
  return { errorCode, name, topicId, partitions: [] }
}

function described(broker: BrokerServices, topic: Topic) {
  const replicas = [broker.config.nodeId]
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.logs.map((_, partitionIndex) => ({
      errorCode: ErrorCode.NONE,
      partitionIndex,
      leaderId: broker.config.nodeId,
      leaderEpoch: broker.topics.leaderEpoch,
      replicaNodes: replicas,
      isrNodes: replicas,
      offlineReplicas: [],
    })),
  }
}
