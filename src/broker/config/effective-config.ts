import type { BrokerConfig } from './broker-config.ts'
import { BROKER_CONFIG_KEYS, brokerConfigKey } from './broker-keys.ts'
import { CONFIG_SOURCE, type ConfigKey } from './config-key.ts'
import { BROKER_SYNONYMS, brokerSynonyms, TOPIC_CONFIG_KEYS, type TopicConfigName } from './topic-config.ts'

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

/** A configuration as DescribeConfigs shows it: the value in force, where it is from, and what would be in force without it. */
export interface EffectiveConfig {
  readonly key: ConfigKey
  readonly value: string | null
  readonly source: number
  readonly synonyms: readonly ConfigSynonym[]
}

/** `log.retention.hours` and its like give a value in another unit than the topic configuration they stand for. */
function inTopicUnit(brokerName: string, value: string): string {
  const factor = brokerName.endsWith('.hours') ? 3_600_000 : brokerName.endsWith('.minutes') ? 60_000 : 1
  return factor === 1 || Number(value) < 0 ? value : String(Number(value) * factor)
}

/** All places a topic configuration can come from, the one in force first; values are in the topic's unit. */
function candidates(
  name: TopicConfigName,
  overrides: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): { synonym: ConfigSynonym; topicValue: string | null }[] {
  const found: { synonym: ConfigSynonym; topicValue: string | null }[] = []
  const add = (from: string, value: string | null | undefined, source: number) => {
    if (value === undefined || value === null) return
    found.push({ synonym: { name: from, value, source }, topicValue: inTopicUnit(from, value) })
  }
  add(name, overrides.get(name), CONFIG_SOURCE.topic)
  const synonyms = BROKER_SYNONYMS[name]
  for (const from of synonyms) add(from, broker.dynamicValue(from), CONFIG_SOURCE.dynamicBroker)
  for (const from of synonyms) add(from, broker.dynamicDefaultValue(from), CONFIG_SOURCE.dynamicDefaultBroker)
  for (const from of synonyms) add(from, broker.givenValue(from), CONFIG_SOURCE.staticBroker)
  for (const from of synonyms) add(from, brokerConfigKey(from)?.default, CONFIG_SOURCE.default)
  return found
}

/** One topic configuration in force. */
export function effectiveTopicConfig(
  key: ConfigKey,
  overrides: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): EffectiveConfig {
  const name = key.name as TopicConfigName
  const found = candidates(name, overrides, broker)
  const first = found[0]
  if (first === undefined) return { key, value: key.default, source: CONFIG_SOURCE.default, synonyms: [] }
  // As in Kafka: log.retention.hours and its like are told only behind log.retention.ms, although they may be in force.
  const ofTopic = found.filter(({ synonym }) => synonym.source === CONFIG_SOURCE.topic)
  const ofBroker = found.slice(ofTopic.length)
  const main = ofBroker.findIndex(({ synonym }) => synonym.name === BROKER_SYNONYMS[name][0])
  const synonyms = [...ofTopic, ...(main < 0 ? [] : ofBroker.slice(main))].map(({ synonym }) => synonym)
  return { key, value: first.topicValue, source: synonyms[0]?.source ?? CONFIG_SOURCE.default, synonyms }
}

/** The values in force of all 33 topic configurations. */
export function topicConfigValues(overrides: ReadonlyMap<string, string>, broker: BrokerConfig): Map<string, string> {
  return new Map(
    TOPIC_CONFIG_KEYS.map((key) => [key.name, effectiveTopicConfig(key, overrides, broker).value ?? key.default ?? '']),
  )
}

/** All broker configurations in force; each is followed by those that stand in for it when it is not set. */
export function effectiveBrokerConfigs(broker: BrokerConfig): EffectiveConfig[] {
  return BROKER_CONFIG_KEYS.map((key) => {
    const names = brokerSynonyms(key.name)
    const found: ConfigSynonym[] = []
    const add = (valueOf: (name: string) => string | null | undefined, source: number) => {
      for (const name of names) {
        const value = valueOf(name)
        if (value !== undefined && value !== null) found.push({ name, value, source })
      }
    }
    add((name) => broker.dynamicValue(name), CONFIG_SOURCE.dynamicBroker)
    add((name) => broker.dynamicDefaultValue(name), CONFIG_SOURCE.dynamicDefaultBroker)
    add((name) => broker.givenValue(name), CONFIG_SOURCE.staticBroker)
    add((name) => brokerConfigKey(name)?.default, CONFIG_SOURCE.default)
    // As in Kafka: what stands in for a key is told only behind a value of the key itself.
    const own = found.findIndex(({ name }) => name === key.name)
    const synonyms = own < 0 ? [] : found.slice(own)
    const [first] = synonyms
    return { key, value: first?.value ?? null, source: first?.source ?? CONFIG_SOURCE.default, synonyms }
  })
}

/** What is set as the default of all brokers, and nothing else. */
export function defaultBrokerConfigs(broker: BrokerConfig): EffectiveConfig[] {
  const source = CONFIG_SOURCE.dynamicDefaultBroker
  return BROKER_CONFIG_KEYS.flatMap((key) => {
    const value = broker.dynamicDefaultValue(key.name)
    return value === undefined ? [] : [{ key, value, source, synonyms: [{ name: key.name, value, source }] }]
  })
}
