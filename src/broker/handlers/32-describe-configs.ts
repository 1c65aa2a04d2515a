/*
 * DescribeConfigs (32), versions 1 to 4.
 * 1: where values come from, synonyms. 3: type and documentation. 4: flexible. Topics have exactly the 33 names of Kafka 4.3.
 */
import { apis, type DescribeConfigsRequestDescribeConfigsResource, ErrorCode } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { CONFIG_TYPE_CODE } from '../config/config-key.ts'
import {
  defaultBrokerConfigs,
  type EffectiveConfig,
  effectiveBrokerConfigs,
  effectiveTopicConfig,
} from '../config/effective-config.ts'
import { TOPIC_CONFIG_KEYS } from '../config/topic-config.ts'
import { RESOURCE_TOPIC, resourceError } from './config-resources.ts'
import { defineHandler } from './handler.ts'

export const describeConfigs = defineHandler({
  api: apis.describeConfigs,
  versions: [1, 4],
  handle(broker, request) {
    const { includeSynonyms, includeDocumentation } = request
    const results = request.resources.map((resource) => {
      const { resourceType, resourceName, configurationKeys } = resource
      const error = resourceError(broker, resource)
      if (error !== undefined) {
        const [errorCode, errorMessage] = error
        return { errorCode, errorMessage, resourceType, resourceName, configs: [] }
      }
      const wanted = configurationKeys === null ? undefined : new Set(configurationKeys)
      const configs = effectiveConfigs(broker, resource)
        .filter(({ key }) => wanted?.has(key.name) ?? true)
        .map((config) => shown(config, resourceType === RESOURCE_TOPIC, includeSynonyms, includeDocumentation))
      return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName, configs }
    })
    return { results }
  },
})

function effectiveConfigs(
  broker: BrokerServices,
  { resourceType, resourceName }: DescribeConfigsRequestDescribeConfigsResource,
): EffectiveConfig[] {
  if (resourceType === RESOURCE_TOPIC) {
    const overrides = broker.topics.get(resourceName)?.configs ?? new Map<string, string>()
    return TOPIC_CONFIG_KEYS.map((key) => effectiveTopicConfig(key, overrides, broker.config))
  }
  return resourceName === '' ? defaultBrokerConfigs(broker.config) : effectiveBrokerConfigs(broker.config)
}

function shown(config: EffectiveConfig, isTopic: boolean, withSynonyms: boolean, withDocumentation: boolean) {
  const { key, value, source, synonyms } = config
  return {
    name: key.name,
    value,
    readOnly: !isTopic && key.dynamic !== true,
    configSource: source,
    isSensitive: false,
    synonyms: withSynonyms ? [...synonyms] : [],
    configType: CONFIG_TYPE_CODE[key.type],
    documentation: withDocumentation ? key.doc : null,
  }
}
