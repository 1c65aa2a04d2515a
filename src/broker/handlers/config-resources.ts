import { ErrorCode } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { topicNameError } from '../topics/topic-name.ts'

/** Resource types of the config APIs. */
export const RESOURCE_TOPIC = 2
export const RESOURCE_BROKER = 4

export type ResourceError = readonly [errorCode: number, errorMessage: string]

/** Why a resource of DescribeConfigs, AlterConfigs or IncrementalAlterConfigs cannot be addressed; undefined when it can. */
export function resourceError(
  broker: BrokerServices,
  resource: { resourceType: number; resourceName: string },
): ResourceError | undefined {
  const { resourceType, resourceName } = resource
  if (resourceType === RESOURCE_TOPIC) {
    const nameError = topicNameError(resourceName)
    if (nameError !== undefined) return [ErrorCode.INVALID_TOPIC_EXCEPTION, nameError]
    if (broker.topics.get(resourceName) !== undefined) return undefined
    return [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${resourceName}' does not exist.`]
  }
  if (resourceType === RESOURCE_BROKER) {
    // The empty name stands for the default of all brokers.
    if (resourceName === '' || resourceName === String(broker.config.nodeId)) return undefined
    const message = `Unexpected broker id, expected ${broker.config.nodeId} or empty string, but received ${resourceName}`
    return [ErrorCode.INVALID_REQUEST, message]
  }
  return [ErrorCode.INVALID_REQUEST, `Resource type ${resourceType} has no configurations here.`]
}

/** The values set on a resource, apart from all defaults. */
export function currentOverrides(broker: BrokerServices, resourceType: number, name: string): Map<string, string> {
  if (resourceType === RESOURCE_TOPIC) return new Map(broker.topics.get(name)?.configs)
  return new Map(name === '' ? broker.topics.defaultBrokerConfigs : broker.topics.brokerConfigs)
}

/** Makes these the values set on a resource. */
export function replaceOverrides(
  broker: BrokerServices,
  resourceType: number,
  name: string,
  values: ReadonlyMap<string, string>,
): void {
  if (resourceType === RESOURCE_TOPIC) broker.topics.setConfigs(name, values)
  else if (name === '') broker.topics.setDefaultBrokerConfigs(values)
  else broker.topics.setBrokerConfigs(values)
}
