import {
  type ConfigDef,
  HIDDEN,
  parseConfig,
  type RawConfig,
  type SinkConnector,
  type SourceConnector,
} from '@millrace/sdk'
import type { ConfigInfos, ConfigKeyInfo } from './config-infos.ts'
import { configKeyInfos } from './config-def.ts'
import { ConfigReport } from './config-report.ts'
import { type OverridePolicy, refusedOverrides } from './override-policy.ts'
import { sinkConnectorConfig } from './sink-config.ts'
import { validateSinkRules } from './sink-rules.ts'
import { sourceConnectorConfig } from './source-config.ts'
import {
  labelsText,
  lackingLabels,
  noLabels,
  readLabels,
  REQUIRED_LABELS,
  type Labels,
  WORKER_LABELS,
} from './worker-labels.ts'
import { topicCreationAliases, topicCreationDefinition } from './topic-creation.ts'
import {
  checkVersion,
  type PluginNames,
  type PluginResolver,
  type PluginVersions,
  type ResolvePlugin,
  validateAliased,
  validateConverter,
  validatePredicateReferences,
  versionsOf,
} from './validate-plugins.ts'

/** What of the worker matters for the validation of a connector. */
export interface WorkerPolicy {
  readonly overridePolicy: OverridePolicy
  /** `group.id` of a distributed worker; null for a standalone one. */
  readonly groupId: string | null
  readonly topicCreationEnabled: boolean
  /** `worker.labels`. */
  readonly labels?: Labels
}

export interface ValidationRequest {
  readonly raw: RawConfig
  readonly plugin: SourceConnector | SinkConnector
  readonly resolvePlugin: ResolvePlugin
  readonly worker: WorkerPolicy
  /** The installed versions of a plugin, the newest last; its own alone where nobody knows better. */
  readonly pluginVersions?: PluginVersions
  /** Names of plugins to recommend for `type` keys. */
  readonly pluginNames?: PluginNames
}

/**
 * Everything that `PUT /connector-plugins/X/config/validate` answers. Collects every problem; rejects only when a plugin
 * throws what is no ConnectError. The order of the keys is Kafka's: framework, transformations, predicates, the
 * plugin's own, converters.
 */
export async function validateConnectorConfig(request: ValidationRequest): Promise<ConfigInfos> {
  const { raw, plugin, worker, resolvePlugin, pluginNames = () => [], pluginVersions } = request
  const resolver: PluginResolver = {
    resolve: resolvePlugin,
    versions: pluginVersions ?? (() => []),
    names: pluginNames,
  }
  const report = new ConfigReport(raw)
  const versions = versionsOf(resolver, raw['connector.class'] ?? plugin.name, plugin)
  report.check(frameworkConfig(plugin, versions))
  checkVersion(report, raw, 'connector.plugin.version', plugin.name, versions)
  if (plugin.kind === 'source') validateSourceRules(report, raw, worker)
  else validateSinkRules(report, raw, worker.groupId)
  await validateAliased(report, raw, 'transformation', resolver)
  await validateAliased(report, raw, 'predicate', resolver)
  validatePredicateReferences(report, raw)
  if (worker.groupId === null) validateRequiredLabels(report, raw, worker.labels ?? noLabels)
  await validateOwnConfig(report, raw, plugin)
  for (const key of ['header.converter', 'key.converter', 'value.converter'] as const) {
    await validateConverter(report, raw, key, resolver)
  }
  for (const { key, message } of refusedOverrides(raw, worker.overridePolicy)) report.addError(key, message)
  return hideSecrets(report.finish(raw['connector.class'] ?? plugin.name), raw)
}

/** The keys that the framework reads for this kind of connector, with the plugin's version as default. */
function frameworkConfig(plugin: SourceConnector | SinkConnector, versions: readonly string[]): ConfigDef {
  const config: ConfigDef = plugin.kind === 'source' ? sourceConnectorConfig : sinkConnectorConfig
  const version = config['connector.plugin.version']
  if (version?.type !== 'string') return config
  const known = { ...version, default: plugin.version, recommend: () => versions }
  return { ...config, 'connector.plugin.version': known }
}

/** What `GET /connector-plugins/X/config` answers for a connector: its own keys, then the framework's. */
export function connectorPluginConfig(
  plugin: SourceConnector | SinkConnector,
  versions: readonly string[] = [plugin.version],
): ConfigKeyInfo[] {
  return [...configKeyInfos(plugin.config), ...configKeyInfos(frameworkConfig(plugin, versions))]
}

async function validateOwnConfig(
  report: ConfigReport,
  raw: RawConfig,
  plugin: SourceConnector | SinkConnector,
): Promise<void> {
  const framework = Object.keys(frameworkConfig(plugin, [plugin.version]))
  const own = Object.fromEntries(Object.entries(plugin.config).filter(([key]) => !framework.includes(key))) as ConfigDef
  const checked = report.check(own)
  // The plugin's own check may assume a configuration that parses.
  if (!checked.valid || !plugin.validate) return
  const { values } = parseConfig(plugin.config, raw)
  for (const issue of await plugin.validate(values, raw)) report.addError(issue.key, issue.message)
}

/** In a group a connector waits for a worker with its labels; a standalone worker will never have another one beside it. */
function validateRequiredLabels(report: ConfigReport, raw: RawConfig, labels: Labels): void {
  if (report.hasErrors([REQUIRED_LABELS])) return
  const required = readLabels(raw[REQUIRED_LABELS])
  const lacking = lackingLabels(required, labels)
  if (lacking.length === 0) return
  report.addError(
    REQUIRED_LABELS,
    `Invalid value ${raw[REQUIRED_LABELS]?.trim()} for configuration ${REQUIRED_LABELS}: this standalone worker lacks ` +
      `${lacking.join(' and ')}; start it with ${WORKER_LABELS}=${labelsText([...labels, ...lacking])}, or leave the key out`,
  )
}

/** Rules of sources beyond single keys. Kafka accepts wrong `topic.creation.*` values and fails later; here they are refused. */
function validateSourceRules(report: ConfigReport, raw: RawConfig, worker: WorkerPolicy): void {
  if (worker.topicCreationEnabled) {
    for (const group of topicCreationAliases(raw)) {
      const presentation = { prefix: `topic.creation.${group}.`, group: `Topic Creation: ${group}` }
      report.check(topicCreationDefinition(group), presentation)
    }
  }
  for (const [key, harmless] of Object.entries(NEEDS_TRANSACTIONS)) {
    const value = raw[key]?.trim()
    if (value === undefined || value === '' || value.toLowerCase() === harmless) continue
    // What is no value at all has been told in Kafka's words.
    if (report.hasErrors([key])) continue
    const instead = harmless === null ? 'leave it out' : `leave it out or set it to ${harmless}`
    report.addError(
      key,
      `Invalid value ${value} for configuration ${key}: sources write at least once, because transactions come in a ` +
        `later version; ${instead}`,
    )
  }
}

/** What only exactly-once sources have, and the value that asks for none of it: a promise that is not kept is refused. */
const NEEDS_TRANSACTIONS: Readonly<Record<string, string | null>> = {
  'exactly.once.support': 'requested',
  'transaction.boundary': 'poll',
  'transaction.boundary.interval.ms': null,
  'offsets.storage.topic': null,
}

/** Invariant 10: a password that a plugin's message quotes is taken out. */
function hideSecrets(infos: ConfigInfos, raw: RawConfig): ConfigInfos {
  const secrets = infos.configs
    .filter((info) => info.definition?.type === 'PASSWORD')
    .map((info) => raw[info.value.name]?.trim() ?? '')
    .filter((secret) => secret.length > 2)
  if (secrets.length === 0) return infos
  const hide = (text: string): string => secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
  const configs = infos.configs.map((info) => {
    if (info.value.errors.length === 0) return info
    return { ...info, value: { ...info.value, errors: info.value.errors.map(hide) } }
  })
  return { ...infos, configs }
}

const LOOKS_SECRET = /password|secret|token|credential|jaas|private[._]?key|ssl\.keystore\.key|api[._]?key/i

/**
 * A configuration that may be shown: values of PASSWORD keys, and of keys that no definition knows but whose name
 * speaks of a secret, are `[hidden]`. References to config providers (`${file:..}`) are no secrets and stay.
 */
export function redactedConfig(raw: RawConfig, infos: Pick<ConfigInfos, 'configs'>): RawConfig {
  const types = new Map(infos.configs.map((info) => [info.value.name, info.definition?.type]))
  const redacted: Record<string, string> = {}
  for (const [key, value] of Object.entries(raw)) {
    const type = types.get(key)
    const secret = type === undefined ? LOOKS_SECRET.test(key) : type === 'PASSWORD'
    redacted[key] = secret && !/^\$\{[^{}]+\}$/.test(value) ? HIDDEN : value
  }
  return redacted
}
