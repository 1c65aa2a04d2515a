/*
 * IncrementalAlterConfigs (44), versions 0 and 1.
 * 1: flexible. Operations: 0 set, 1 delete, 2 append and 3 subtract (lists only).
 */
import {
  apis,
  ErrorCode,
  type IncrementalAlterConfigsRequestAlterableConfig,
  type IncrementalAlterConfigsRequestAlterConfigsResource,
} from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { dynamicBrokerConfigError } from '../config/broker-config.ts'
import { brokerConfigKey } from '../config/broker-keys.ts'
import { type ConfigKey, splitList } from '../config/config-key.ts'
import { effectiveBrokerConfigs, effectiveTopicConfig } from '../config/effective-config.ts'
import { topicConfigError, topicConfigKey } from '../config/topic-config.ts'
import {
  currentOverrides,
  RESOURCE_TOPIC,
  type ResourceError,
  replaceOverrides,
  resourceError,
} from './config-resources.ts'
import { defineHandler } from './handler.ts'

export const incrementalAlterConfigs = defineHandler({
  api: apis.incrementalAlterConfigs,
  versions: [0, 1],
  handle(broker, request) {
    const seen = new Set<string>()
    const responses = request.resources.map((resource) => {
      const { resourceType, resourceName } = resource
      const id = `${resourceType}:${resourceName}`
      const error = seen.has(id) ? DUPLICATE_RESOURCE : alter(broker, resource, request.validateOnly)
      seen.add(id)
      const [errorCode, errorMessage] = error ?? [ErrorCode.NONE, null]
      return { errorCode, errorMessage, resourceType, resourceName }
    })
    return { responses }
  },
})

const DUPLICATE_RESOURCE: ResourceError = [ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.']

function alter(
  broker: BrokerServices,
  resource: IncrementalAlterConfigsRequestAlterConfigsResource,
  validateOnly: boolean,
): ResourceError | undefined {
  const { resourceType, resourceName, configs } = resource
  const wrongResource = resourceError(broker, resource)
  if (wrongResource !== undefined) return wrongResource
  if (new Set(configs.map(({ name }) => name)).size !== configs.length) {
    return [ErrorCode.INVALID_REQUEST, 'Error due to duplicate config keys']
  }
  const values = currentOverrides(broker, resourceType, resourceName)
  for (const config of configs) {
    const error = applyOne(broker, resource, config, values)
    if (error !== undefined) return [ErrorCode.INVALID_CONFIG, error]
  }
  const wrong = resourceType === RESOURCE_TOPIC ? topicConfigError(values) : dynamicBrokerConfigError(values)
  if (wrong !== undefined) return [ErrorCode.INVALID_CONFIG, wrong]
  if (!validateOnly) replaceOverrides(broker, resourceType, resourceName, values)
  return undefined
}

function applyOne(
  broker: BrokerServices,
  { resourceType, resourceName }: IncrementalAlterConfigsRequestAlterConfigsResource,
  { name, configOperation, value }: IncrementalAlterConfigsRequestAlterableConfig,
  values: Map<string, string>,
): string | undefined {
  const key = resourceType === RESOURCE_TOPIC ? topicConfigKey(name) : brokerConfigKey(name)
  // Deleting what nobody knows is harmless: reassign-partitions clears its throttles on brokers this way.
  if (configOperation === OPERATION.delete) {
    values.delete(name)
    return undefined
  }
  if (key === undefined) return `Unknown ${resourceType === RESOURCE_TOPIC ? 'topic' : 'broker'} config name: ${name}`
  if (value === null) return `Null value not supported for: ${name}`
  if (configOperation === OPERATION.set) {
    values.set(name, value)
    return undefined
  }
  if (key.type !== 'list') return `Can't APPEND to or SUBTRACT from key ${name} because its type is not LIST.`
  const old = splitList(values.get(name) ?? inForce(broker, resourceType, resourceName, key))
  const given = splitList(value)
  if (configOperation === OPERATION.append) values.set(name, [...new Set([...old, ...given])].join(','))
  else if (configOperation === OPERATION.subtract) values.set(name, old.filter((v) => !given.includes(v)).join(','))
  else return `Unknown operation ${configOperation} for ${name}`
  return undefined
}

const OPERATION = { set: 0, delete: 1, append: 2, subtract: 3 } as const

/** What a list is when nothing is set on the resource: the items of the default stay part of it. */
function inForce(broker: BrokerServices, resourceType: number, resourceName: string, key: ConfigKey): string {
  if (resourceType === RESOURCE_TOPIC) {
    const overrides = broker.topics.get(resourceName)?.configs ?? new Map<string, string>()
    return effectiveTopicConfig(key, overrides, broker.config).value ?? ''
  }
  return effectiveBrokerConfigs(broker.config).find((config) => config.key === key)?.value ?? ''
}
