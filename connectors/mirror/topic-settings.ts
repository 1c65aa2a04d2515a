import type { KafkaTopicSetting } from '@millrace/sdk'
import { matcher } from './patterns.ts'
import type { SourceConfig } from './source-config.ts'

type FilterConfig = Pick<SourceConfig, 'config.properties.exclude' | 'use.defaults.from'>

/** The settings of a source topic that are its own and not those of its cluster. */
function copied(config: FilterConfig, settings: readonly KafkaTopicSetting[]): readonly KafkaTopicSetting[] {
  const isExcluded = matcher(config['config.properties.exclude'])
  return settings.filter(
    ({ name, isReadOnly, isSensitive, isOfBroker }) => !isReadOnly && !isSensitive && !isOfBroker && !isExcluded(name),
  )
}

/** The settings that a remote topic is created with. */
export function settingsOfNewTopic(
  config: FilterConfig,
  settings: readonly KafkaTopicSetting[],
): Readonly<Record<string, string>> {
  const takesDefaults = config['use.defaults.from'] === 'source'
  const chosen = copied(config, settings).filter(
    ({ isDefault, value }) => value !== null && (!isDefault || takesDefaults),
  )
  return Object.fromEntries(chosen.map(({ name, value }) => [name, value ?? '']))
}

/**
 * What has to change for a remote topic to have the settings of its source: null takes one back to its default. Settings
 * that the target cluster does not know are left out, or it would refuse all of them.
 */
export function settingChanges(
  config: FilterConfig,
  source: readonly KafkaTopicSetting[],
  target: readonly KafkaTopicSetting[],
): Readonly<Record<string, string | null>> {
  const takesDefaults = config['use.defaults.from'] === 'source'
  const current = new Map(target.map((setting) => [setting.name, setting]))
  const changes: Record<string, string | null> = {}
  for (const { name, value, isDefault } of copied(config, source)) {
    const there = current.get(name)
    if (!there) continue
    if (isDefault && !takesDefaults) {
      // What is not the topic's own there is a default already, of whatever place.
      if (!there.isDefault && !there.isOfBroker) changes[name] = null
    } else if (value !== null && (there.value !== value || there.isDefault)) changes[name] = value
  }
  return changes
}
