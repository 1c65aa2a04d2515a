/*
 * AlterConfigs (33), versions 0 to 2.
 * 2: flexible. The given values replace all that were set; what is left out goes back to its default. Kafka's clients
 * use IncrementalAlterConfigs (44) instead.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { dynamicBrokerConfigError } from '../config/broker-config.ts'
import { topicConfigError } from '../config/topic-config.ts'
import { RESOURCE_TOPIC, replaceOverrides, resourceError } from './config-resources.ts'
import { defineHandler } from './handler.ts'

export const alterConfigs = defineHandler({
  api: apis.alterConfigs,
  versions: [0, 2],
  handle(broker, request) {
    const responses = request.resources.map((resource) => {
      const { resourceType, resourceName, configs } = resource
      const values = new Map(configs.map(({ name, value }) => [name, value]))
      const set = new Map([...values].map(([name, value]) => [name, value ?? '']))
      const wrong = resourceType === RESOURCE_TOPIC ? topicConfigError(values) : dynamicBrokerConfigError(set)
      const [errorCode, errorMessage] =
        resourceError(broker, resource) ??
        (wrong === undefined ? ([ErrorCode.NONE, null] as const) : ([ErrorCode.INVALID_CONFIG, wrong] as const))
      if (errorCode === ErrorCode.NONE && !request.validateOnly) {
        replaceOverrides(broker, resourceType, resourceName, set)
      }
      return { errorCode, errorMessage, resourceType, resourceName }
    })
    return { responses }
  },
})
