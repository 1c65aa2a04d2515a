import { isConnectError, type KafkaAdmin, type KafkaCallError, type PluginLogger } from '@millrace/sdk'

export interface InternalTopic {
  readonly name: string
  readonly replicationFactor: number
  /** Nobody has chosen the replication factor. */
  readonly isDefaultFactor: boolean
}

/** Makes a topic of one compacted partition when it is not there. */
export async function createInternalTopic(
  admin: KafkaAdmin,
  { name, replicationFactor, isDefaultFactor }: InternalTopic,
  logger: PluginLogger,
): Promise<void> {
  const settings = { 'cleanup.policy': 'compact' }
  await createTopic(admin, { name, partitions: 1, replicationFactor, settings }, isDefaultFactor, logger)
}

/**
 * Makes a topic; one that is there stays as it is. A default replication factor that the cluster has too few brokers for
 * gives way to the cluster's own: a config without it has to run on one broker too.
 */
export async function createTopic(
  admin: KafkaAdmin,
  topic: Parameters<KafkaAdmin['createTopic']>[0],
  isDefaultFactor: boolean,
  logger: PluginLogger,
): Promise<void> {
  const log = (created: boolean): void => {
    if (created) logger.info({ topic: topic.name, partitions: topic.partitions }, 'the topic was created')
  }
  try {
    log(await admin.createTopic(topic))
  } catch (error) {
    if (!isDefaultFactor || !hasKafkaCode(error, 'INVALID_REPLICATION_FACTOR')) throw error
    const { name, replicationFactor } = topic
    logger.warn({ topic: name, replicationFactor }, 'too few brokers for the default replication factor; taking theirs')
    log(await admin.createTopic({ ...topic, replicationFactor: -1 }))
  }
}

/** Whether a call to a cluster failed with this error of Kafka's. */
export function hasKafkaCode(error: unknown, code: string): boolean {
  return isConnectError(error) && (error as Partial<KafkaCallError>).kafkaCode === code
}
