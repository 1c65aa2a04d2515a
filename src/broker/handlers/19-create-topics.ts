/*
 * CreateTopics (19), versions 2 to 7.
 * 4: -1 for the defaults of partitions and replication factor. 5: flexible, the new topic's settings in the answer.
 * 6: throttling error. 7: topic id. Errors: 36 exists, 37 partitions, 38 replication factor, 39 assignment, 40 config,
 * 17 name, 42 twice in one request.
 */
import { apis, type CreateTopicsRequestCreatableTopic, ErrorCode, ZERO_UUID } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { effectiveTopicConfig } from '../config/effective-config.ts'
import { TOPIC_CONFIG_KEYS, topicConfigError } from '../config/topic-config.ts'
import { collisionKey, topicNameError } from '../topics/topic-name.ts'
import { MAX_PARTITIONS_PER_TOPIC, type NewTopic } from '../topics/topic-registry.ts'
import { defineHandler } from './handler.ts'

type Refusal = readonly [errorCode: number, errorMessage: string]

export const createTopics = defineHandler({
  api: apis.createTopics,
  versions: [2, 7],
  handle(broker, request) {
    const counts = new Map<string, number>()
    for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
    const plan: Plan = { created: new Map(), collisions: new Map() }
    const topics = []
    for (const topic of request.topics) {
      const count = counts.get(topic.name)
      // A name given twice is answered once.
      if (count === undefined) continue
      counts.delete(topic.name)
      topics.push(count > 1 ? refused(topic.name, DUPLICATE) : planned(broker, topic, plan))
    }
    if (request.validateOnly) return { topics }
    // All of a request cost one write of the metadata.
    const ids = new Map(broker.topics.createAll([...plan.created.values()]).map(({ name, id }) => [name, id]))
    return { topics: topics.map((topic) => ({ ...topic, topicId: ids.get(topic.name) ?? ZERO_UUID })) }
  },
})

/** The topics that a request makes, which are not there yet while the rest of it is looked at. */
interface Plan {
  readonly created: Map<string, NewTopic>
  /** Their names as they must not meet again. */
  readonly collisions: Map<string, string>
}

const DUPLICATE: Refusal = [ErrorCode.INVALID_REQUEST, 'Duplicate topic name.']

function refused(name: string, [errorCode, errorMessage]: Refusal) {
  return { name, errorCode, errorMessage, numPartitions: -1, replicationFactor: -1, configs: null }
}

function planned(broker: BrokerServices, asked: CreateTopicsRequestCreatableTopic, plan: Plan) {
  const refusal = nameRefusal(broker, asked.name, plan) ?? shapeRefusal(broker, asked) ?? configRefusal(asked)
  if (refusal !== undefined) return refused(asked.name, refusal)
  const { name } = asked
  const configs = new Map(asked.configs.map((config) => [config.name, config.value ?? '']))
  const partitions = partitionsOf(broker, asked)
  plan.created.set(name, { name, partitions, configs })
  plan.collisions.set(collisionKey(name), name)
  return {
    name,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    numPartitions: partitions,
    replicationFactor: 1,
    configs: TOPIC_CONFIG_KEYS.map((key) => {
      const { value, source } = effectiveTopicConfig(key, configs, broker.config)
      return { name: key.name, value, readOnly: false, configSource: source, isSensitive: false }
    }),
  }
}

function partitionsOf(broker: BrokerServices, asked: CreateTopicsRequestCreatableTopic): number {
  if (asked.assignments.length > 0) return asked.assignments.length
  return asked.numPartitions === -1 ? broker.config.number('num.partitions') : asked.numPartitions
}

function nameRefusal(broker: BrokerServices, name: string, plan: Plan): Refusal | undefined {
  const error = topicNameError(name)
  if (error !== undefined) return [ErrorCode.INVALID_TOPIC_EXCEPTION, error]
  if (broker.topics.get(name) !== undefined) return [ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`]
  const other = broker.topics.collision(name) ?? plan.collisions.get(collisionKey(name))
  if (other === undefined) return undefined
  return [ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${name}' collides with existing topic: ${other}`]
}

function shapeRefusal(broker: BrokerServices, asked: CreateTopicsRequestCreatableTopic): Refusal | undefined {
  const { numPartitions, replicationFactor, assignments } = asked
  if (assignments.length > 0) return assignmentRefusal(broker, asked)
  if (numPartitions !== -1 && numPartitions <= 0) {
    return [ErrorCode.INVALID_PARTITIONS, 'Number of partitions must be larger than 0.']
  }
  if (numPartitions > MAX_PARTITIONS_PER_TOPIC) {
    return [ErrorCode.INVALID_PARTITIONS, `Number of partitions must be at most ${MAX_PARTITIONS_PER_TOPIC}.`]
  }
  if (replicationFactor !== -1 && replicationFactor <= 0) {
    return [
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    ]
  }
  if (replicationFactor > 1) {
    const message = `Unable to replicate the partition ${replicationFactor} time(s): The target replication factor of ${replicationFactor} cannot be reached because only 1 broker(s) are registered.`
    return [ErrorCode.INVALID_REPLICATION_FACTOR, message]
  }
  return undefined
}

function assignmentRefusal(broker: BrokerServices, asked: CreateTopicsRequestCreatableTopic): Refusal | undefined {
  if (asked.numPartitions !== -1 || asked.replicationFactor !== -1) {
    const message =
      'A manual partition assignment was specified, but numPartitions or replicationFactor was not set to -1.'
    return [ErrorCode.INVALID_REQUEST, message]
  }
  const { nodeId } = broker.config
  const indexes = new Set(asked.assignments.map((assignment) => assignment.partitionIndex))
  const consecutive = indexes.size === asked.assignments.length && asked.assignments.every((_, i) => indexes.has(i))
  if (!consecutive) {
    return [ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'Partitions should be a consecutive 0-based integer sequence.']
  }
  if (asked.assignments.length > MAX_PARTITIONS_PER_TOPIC) {
    return [ErrorCode.INVALID_PARTITIONS, `Number of partitions must be at most ${MAX_PARTITIONS_PER_TOPIC}.`]
  }
  const bad = asked.assignments.find(({ brokerIds }) => brokerIds.length !== 1 || brokerIds[0] !== nodeId)
  if (bad === undefined) return undefined
  return [
    ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    `The manual partition assignment of partition ${bad.partitionIndex} must name broker ${nodeId}, the only one there is.`,
  ]
}

function configRefusal(asked: CreateTopicsRequestCreatableTopic): Refusal | undefined {
  const error = topicConfigError(new Map(asked.configs.map((config) => [config.name, config.value])))
  return error === undefined ? undefined : [ErrorCode.INVALID_CONFIG, error]
}
