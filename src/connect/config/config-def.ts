import { type ConfigDef, type ConfigKey, configValueToString, parseConfigKeys, type RawConfig } from '@millrace/sdk'
import type { ConfigInfos, ConfigKeyInfo, ConfigValueInfo } from './config-infos.ts'

/** One line of a ConfigInfos. */
export type ConfigInfo = ConfigInfos['configs'][number]

/** How the keys of a definition are shown. */
export interface Presentation {
  /** Put before every key, for example `transforms.a.`. */
  readonly prefix?: string
  /** The group of all keys, whatever their definition says. */
  readonly group?: string
  /** The order of the first key in that group; the others follow. */
  readonly firstOrder?: number
}

/** The definitions of keys in the form of REST, in the order of the definition. */
export function configKeyInfos(definition: ConfigDef, presentation: Presentation = {}): ConfigKeyInfo[] {
  const { prefix = '', group, firstOrder = 0 } = presentation
  const places = new Map<string, number>()
  return Object.entries(definition).map(([name, key], index) => {
    const ownGroup = group ?? key.group ?? null
    const place = (places.get(ownGroup ?? '') ?? 0) + 1
    places.set(ownGroup ?? '', place)
    const order = group === undefined ? (key.order ?? (ownGroup === null ? -1 : place)) : firstOrder + index
    return keyInfo(prefix + name, name, key, ownGroup, order)
  })
}

function keyInfo(fullName: string, name: string, key: ConfigKey, group: string | null, order: number): ConfigKeyInfo {
  return {
    name: fullName,
    type: key.type.toUpperCase() as ConfigKeyInfo['type'],
    required: key.default === undefined,
    default_value: configValueToString(key, key.default),
    importance: key.importance.toUpperCase() as ConfigKeyInfo['importance'],
    documentation: key.doc,
    group,
    order_in_group: order,
    width: (key.width ?? 'none').toUpperCase() as ConfigKeyInfo['width'],
    display_name: key.displayName ?? name,
    dependents: key.dependents ?? [],
  }
}

/** The outcome of checking one definition against a configuration. */
export interface Checked {
  readonly infos: ConfigInfo[]
  readonly values: Readonly<Record<string, unknown>>
  readonly valid: boolean
}

/** Parses the keys of a definition and shows each with its value and problems. Prefixed keys are read and named with the prefix. */
export function checkConfig(definition: ConfigDef, raw: RawConfig, presentation: Presentation = {}): Checked {
  const { prefix = '' } = presentation
  const named = Object.fromEntries(Object.entries(definition).map(([name, key]) => [prefix + name, key])) as ConfigDef
  const parsed = parseConfigKeys(named, raw)
  const values: Record<string, unknown> = {}
  for (const name of Object.keys(definition)) values[name] = parsed.get(prefix + name)?.value
  const infos = configKeyInfos(definition, presentation).map((info, index): ConfigInfo => {
    const key = Object.values(definition)[index] as ConfigKey
    const { text = null, errors = [] } = parsed.get(info.name) ?? {}
    const value: ConfigValueInfo = {
      name: info.name,
      value: text,
      recommended_values: key.recommend?.(values) ?? [],
      errors,
      visible: key.visible?.(values) ?? true,
    }
    return { definition: info, value }
  })
  return { infos, values, valid: infos.every((info) => info.value.errors.length === 0) }
}

/** The keys that start with a prefix, without it. */
export function withoutPrefix(raw: RawConfig, prefix: string): RawConfig {
  const result: Record<string, string> = {}
  for (const [key, value] of Object.entries(raw)) if (key.startsWith(prefix)) result[key.slice(prefix.length)] = value
  return result
}
