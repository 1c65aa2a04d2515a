import { ConfigError, type PluginKind, type RawConfig, type SinkConnector, type SourceConnector } from '@millrace/sdk'
import type { ConfigInfos, ConfigKeyInfo } from '../config/config-infos.ts'
import { configKeyInfos } from '../config/config-def.ts'
import type { OverridePolicy } from '../config/override-policy.ts'
import { connectorPluginConfig, validateConnectorConfig, type WorkerPolicy } from '../config/validate.ts'
import { readLabels, WORKER_LABELS } from '../config/worker-labels.ts'
import type { PluginRegistry } from '../plugins/plugin-registry.ts'

function policyOf(worker: RawConfig): WorkerPolicy {
  const name = (worker['connector.client.config.override.policy'] ?? 'All') as OverridePolicy['name']
  const allowed = worker['connector.client.config.override.allowlist']?.split(',').map((key) => key.trim())
  return {
    overridePolicy: { name, ...(allowed ? { allowed } : {}) },
    groupId: worker['group.id'] ?? null,
    labels: readLabels(worker[WORKER_LABELS]),
    topicCreationEnabled: worker['topic.creation.enable']?.trim().toLowerCase() !== 'false',
  }
}

/** Validates a connector's configuration with the plugins of a registry. */
export async function validateIn(registry: PluginRegistry, raw: RawConfig, worker: RawConfig): Promise<ConfigInfos> {
  const plugin = await loadConnector(registry, raw)
  return validateConnectorConfig({
    raw,
    plugin,
    worker: policyOf(worker),
    resolvePlugin: async (className, kind, range) => {
      // A range that is none, or that no version lies in, is told by the validation; the newest answers for the rest.
      const found = registry.find(className, [kind], range) ?? registry.find(className, [kind])
      return found && registry.definition(found)
    },
    pluginVersions: (className, kind) => registry.versions(className, [kind]).map(({ manifest }) => manifest.version),
    pluginNames: (kind) => names(registry, kind),
  })
}

/** The version that the configuration asks for; the newest when there is none, of which the validation will tell. */
async function loadConnector(registry: PluginRegistry, raw: RawConfig): Promise<SourceConnector | SinkConnector> {
  const { 'connector.class': className = '', 'connector.plugin.version': version } = raw
  const kinds = ['source', 'sink'] as const
  return registry.find(className, kinds, version)
    ? registry.load(className, kinds, version)
    : registry.load(className, kinds)
}

function names(registry: PluginRegistry, kind: PluginKind): string[] {
  const found = registry.list().filter(({ manifest }) => manifest.kind === kind)
  return found.map(({ manifest }) => manifest.name)
}

/** The keys of any plugin, as `GET /connector-plugins/X/config` shows them. */
export async function pluginConfigIn(
  registry: PluginRegistry,
  className: string,
  version: string,
): Promise<readonly ConfigKeyInfo[]> {
  const found = registry.find(className, undefined, version)
  if (!found) throw new ConfigError(`Unknown plugin ${className}.`)
  const definition = await registry.definition(found)
  if (definition.kind === 'source' || definition.kind === 'sink') {
    const versions = registry.versions(className, [definition.kind])
    return connectorPluginConfig(
      definition,
      versions.map(({ manifest }) => manifest.version),
    )
  }
  return configKeyInfos(definition.config)
}
