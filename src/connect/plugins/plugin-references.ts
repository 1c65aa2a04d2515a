import type { RawConfig } from '@millrace/sdk'

/** A class that a configuration names, and the versions of it that will do. */
export interface PluginReference {
  readonly key: string
  readonly className: string
  /** As in `connector.plugin.version`; '' for any. */
  readonly range: string
}

const CLASS_KEY = /^(?:(connector)\.class|((?:key|value|header)\.converter)|((?:transforms|predicates)\.[^.]+)\.type)$/

/** The connector, converters, transformations and predicates of a configuration. */
export function pluginReferences(config: RawConfig): readonly PluginReference[] {
  return Object.entries(config).flatMap(([key, className]) => {
    const match = CLASS_KEY.exec(key)
    if (!match) return []
    const prefix = match[1] ?? match[2] ?? match[3] ?? ''
    return [{ key, className: className.trim(), range: config[`${prefix}.plugin.version`]?.trim() ?? '' }]
  })
}
