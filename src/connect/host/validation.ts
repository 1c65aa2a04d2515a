import { ConfigError, type PluginKind, type RawConfig } from '@millrace/sdk'
import type { ConfigInfos, ConfigKeyInfo } from '../config/config-infos.ts'
import { configKeyInfos } from '../config/config-def.ts'
import type { OverridePolicy } from '../config/override-policy.ts'
import { connectorPluginConfig, validateConnectorConfig, type WorkerPolicy } from '../config/validate.ts'
import type { PluginRegistry } from '../plugins/plugin-registry.ts'

function policyOf(worker: RawConfig): WorkerPolicy {
  const name = (worker['connector.client.config.override.policy'] ?? 'All') as OverridePolicy['name']
  const allowed = worker['connector.client.config.override.allowlist']?.split(',').map((key) => key.trim())
  return {
    overridePolicy: { name, ...(allowed ? { allowed } : {}) },
    groupId: worker['group.id'] ?? null,
    topicCreationEnabled: worker['topic.creation.enable']?.trim().toLowerCase() !== 'false',
  }
}

/** Validates a connector's configuration with the plugins of a registry. */
export async function validateIn(registry: PluginRegistry, raw: RawConfig, worker: RawConfig): Promise<ConfigInfos> {
  const plugin = await registry.load(raw['connector.class'] ?? '', ['source', 'sink'])
  return validateConnectorConfig({
    raw,
    plugin,
    worker: policyOf(worker),
    resolvePlugin: async (className, kind) => {
      const found = registry.find(className, [kind])
      return found && registry.definition(found)
    },
    pluginNames: (kind) => names(registry, kind),
  })
}

function names(registry: PluginRegistry, kind: PluginKind): string[] {
  const found = registry.list().filter(({ manifest }) => manifest.kind === kind)
  return found.map(({ manifest }) => manifest.name)
}

/** The keys of any plugin, as `GET /connector-plugins/X/config` shows them. */
export async function pluginConfigIn(registry: PluginRegistry, className: string): Promise<readonly ConfigKeyInfo[]> {
  const found = registry.find(className)
  if (!found) throw new ConfigError(`Unknown plugin ${className}.`)
  const definition = await registry.definition(found)
  if (definition.kind === 'source' || definition.kind === 'sink') return connectorPluginConfig(definition)
  return configKeyInfos(definition.config)
}
