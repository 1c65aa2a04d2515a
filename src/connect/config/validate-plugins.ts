import {
  type ConfigDef,
  type ConverterDefinition,
  type HeaderConverterDefinition,
  invalid,
  isConnectError,
  type ConfigError,
  type ConfigKey,
  parseConfig,
  type PluginDefinition,
  type PluginKind,
  type PredicateDefinition,
  type RawConfig,
  type Transformation,
} from '@millrace/sdk'
import type { ConfigReport } from './config-report.ts'
import { aliasesOf, type ConverterKey } from './connector-config.ts'
import { withoutPrefix } from './config-def.ts'
import { versionInRange } from './plugin-version.ts'

/** Finds a plugin by any of its class names. */
export type ResolvePlugin = (
  className: string,
  kind: PluginKind,
) => Promise<PluginDefinition | undefined> | PluginDefinition | undefined

/** Names of the plugins of a kind, to recommend. */
export type PluginNames = (kind: PluginKind) => readonly string[]

const PREDICATE_KEYS = {
  negate: {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Whether the configured predicate should be negated.',
  },
  predicate: {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'The alias of a predicate used to determine whether to apply this transformation.',
  },
} as const satisfies ConfigDef

/** Checks `transforms` or `predicates`: each alias has a known class, and its options fit. */
export async function validateAliased(
  report: ConfigReport,
  raw: RawConfig,
  kind: 'transformation' | 'predicate',
  resolve: ResolvePlugin,
  names: PluginNames,
): Promise<void> {
  const list = kind === 'transformation' ? 'transforms' : 'predicates'
  const word = kind === 'transformation' ? 'Transformation' : 'Predicate'
  for (const alias of aliasesOf(raw, list)) {
    const prefix = `${list}.${alias}.`
    const group = `${kind === 'transformation' ? 'Transforms' : 'Predicates'}: ${alias}`
    const className = raw[`${prefix}type`]?.trim() ?? ''
    const plugin = className === '' ? undefined : await resolve(className, kind)
    report.check(typeKeys(alias, word, plugin?.version ?? null, names(kind)), { prefix, group })
    if (!plugin) {
      if (className !== '') report.addError(`${prefix}type`, classNotFound(`${prefix}type`, className))
      continue
    }
    checkVersion(report, raw, `${prefix}plugin.version`, plugin)
    const own: ConfigDef = { ...plugin.config, ...(kind === 'transformation' ? PREDICATE_KEYS : {}) }
    const sorted = Object.fromEntries(Object.entries(own).sort(inKafkaOrder)) as ConfigDef
    const checked = report.check(sorted, { prefix, group, firstOrder: 2 })
    if (!checked.valid) continue
    tryCreate(report, prefix, `${prefix}type`, () => {
      const definition = plugin as Transformation | PredicateDefinition
      const { values } = parseConfig(definition.config, withoutPrefix(raw, prefix))
      definition.create(values).close?.()
    })
  }
}

const IMPORTANCE = ['high', 'medium', 'low']

/** Required keys first, then by importance, then by name. */
function inKafkaOrder([a, one]: [string, ConfigKey], [b, other]: [string, ConfigKey]): number {
  const required = Number(other.default === undefined) - Number(one.default === undefined)
  const importance = IMPORTANCE.indexOf(one.importance) - IMPORTANCE.indexOf(other.importance)
  return required || importance || (a < b ? -1 : 1)
}

function typeKeys(alias: string, word: string, version: string | null, names: readonly string[]): ConfigDef {
  const lower = word.toLowerCase()
  return {
    type: {
      type: 'class',
      importance: 'high',
      doc: `Class for the '${alias}' ${lower}.`,
      width: 'long',
      displayName: `${word} type for ${alias}`,
      recommend: () => names,
    },
    'plugin.version': {
      type: 'string',
      default: version,
      importance: 'high',
      doc: `Version of the '${alias}' ${lower}.`,
      width: 'long',
      displayName: `${word} version for ${alias}`,
      recommend: () => (version === null ? [] : [version]),
    },
  }
}

/** A transformation may only name a predicate that exists. Kafka accepts it, and the task fails. */
export function validatePredicateReferences(report: ConfigReport, raw: RawConfig): void {
  const defined = aliasesOf(raw, 'predicates')
  for (const alias of aliasesOf(raw, 'transforms')) {
    const key = `transforms.${alias}.predicate`
    const predicate = raw[key]?.trim() ?? ''
    if (predicate === '' || defined.includes(predicate)) continue
    const known = defined.length === 0 ? 'none is defined' : `defined are ${defined.join(', ')}`
    report.addError(key, invalid(key, predicate, `No predicate of this name; ${known}. Add it to "predicates".`))
  }
}

/** Checks a converter that the connector names itself. */
export async function validateConverter(
  report: ConfigReport,
  raw: RawConfig,
  key: ConverterKey,
  resolve: ResolvePlugin,
): Promise<void> {
  const className = raw[key]?.trim() ?? ''
  if (className === '') return
  const isHeader = key === 'header.converter'
  const definition =
    (isHeader ? await resolve(className, 'header-converter') : undefined) ?? (await resolve(className, 'converter'))
  const usable = definition && (!isHeader || 'createHeader' in definition) && definition.kind !== 'transformation'
  if (!usable) {
    report.addError(key, classNotFound(key, className))
    return
  }
  checkVersion(report, raw, `${key}.plugin.version`, definition)
  const checked = report.check(definition.config, { prefix: `${key}.` })
  if (!checked.valid) return
  tryCreate(report, `${key}.`, key, () => {
    const { values } = parseConfig(definition.config, withoutPrefix(raw, `${key}.`))
    if (isHeader) (definition as HeaderConverterDefinition).createHeader(values)
    else (definition as ConverterDefinition).create(values, { isKey: key === 'key.converter' })
  })
}

/** Refuses a version that is not the one at hand. */
export function checkVersion(
  report: ConfigReport,
  raw: RawConfig,
  key: string,
  plugin: { readonly name: string; readonly version: string },
): void {
  const range = raw[key]?.trim() ?? ''
  if (range === '') return
  const fits = versionInRange(plugin.version, range)
  if (fits === undefined) report.addError(key, invalid(key, range, 'Not a version nor a range of versions'))
  if (fits !== false) return
  const text = /^[[(]/.test(range) ? range : `[${range},${range}]`
  report.addError(
    key,
    `Plugin ${plugin.name} not found that matches the version range ${text}, available versions: [${plugin.version}]`,
  )
}

function classNotFound(key: string, className: string): string {
  return invalid(key, className, `Class ${className} could not be found.`)
}

/** Options may fit one by one but not together; the plugin says so when it is made. */
function tryCreate(report: ConfigReport, prefix: string, fallbackKey: string, create: () => void): void {
  try {
    create()
  } catch (error) {
    if (!isConnectError(error)) throw error
    const key = (error as ConfigError).key
    report.addError(key === undefined ? fallbackKey : prefix + key, error.message)
  }
}
