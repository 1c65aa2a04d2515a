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
import { silentLogger } from '../../base/index.ts'
import type { ConfigReport } from './config-report.ts'
import { aliasesOf, type ConverterKey } from './connector-config.ts'
import { withoutPrefix } from './config-def.ts'
import { noVersionInRange, versionInRange } from './plugin-version.ts'

/** Finds a plugin by any of its class names: the newest version in a range, else the newest of all. */
export type ResolvePlugin = (
  className: string,
  kind: PluginKind,
  range: string,
) => Promise<PluginDefinition | undefined> | PluginDefinition | undefined

/** Names of the plugins of a kind, to recommend. */
export type PluginNames = (kind: PluginKind) => readonly string[]

/** The versions of a plugin, the newest last. */
export type PluginVersions = (className: string, kind: PluginKind) => readonly string[]

/** What validation knows of plugins. */
export interface PluginResolver {
  readonly resolve: ResolvePlugin
  readonly versions: PluginVersions
  readonly names: PluginNames
}

/** The installed versions of a plugin that was found by a name. */
export function versionsOf(
  resolver: PluginResolver,
  className: string,
  plugin: { readonly kind: PluginKind; readonly version: string },
): readonly string[] {
  const versions = resolver.versions(className, plugin.kind)
  return versions.length === 0 ? [plugin.version] : versions
}

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
  resolver: PluginResolver,
): Promise<void> {
  const list = kind === 'transformation' ? 'transforms' : 'predicates'
  const word = kind === 'transformation' ? 'Transformation' : 'Predicate'
  for (const alias of aliasesOf(raw, list)) {
    const prefix = `${list}.${alias}.`
    const group = `${kind === 'transformation' ? 'Transforms' : 'Predicates'}: ${alias}`
    const className = raw[`${prefix}type`]?.trim() ?? ''
    const range = raw[`${prefix}plugin.version`]?.trim() ?? ''
    const plugin = className === '' ? undefined : await resolver.resolve(className, kind, range)
    const versions = plugin ? versionsOf(resolver, className, plugin) : []
    report.check(typeKeys(alias, word, versions, resolver.names(kind)), { prefix, group })
    if (!plugin) {
      if (className !== '') report.addError(`${prefix}type`, classNotFound(`${prefix}type`, className))
      continue
    }
    checkVersion(report, raw, `${prefix}plugin.version`, plugin.name, versions)
    const own: ConfigDef = { ...plugin.config, ...(kind === 'transformation' ? PREDICATE_KEYS : {}) }
    const sorted = Object.fromEntries(Object.entries(own).sort(inKafkaOrder)) as ConfigDef
    const checked = report.check(sorted, { prefix, group, firstOrder: 2 })
    if (!checked.valid) continue
    tryCreate(report, prefix, `${prefix}type`, () => {
      const definition = plugin as Transformation | PredicateDefinition
      const { values } = parseConfig(definition.config, withoutPrefix(raw, prefix))
      definition.create(values, { logger: silentLogger }).close?.()
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

function typeKeys(alias: string, word: string, versions: readonly string[], names: readonly string[]): ConfigDef {
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
      default: versions.at(-1) ?? null,
      importance: 'high',
      doc: `Version of the '${alias}' ${lower}.`,
      width: 'long',
      displayName: `${word} version for ${alias}`,
      recommend: () => versions,
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
  resolver: PluginResolver,
): Promise<void> {
  const className = raw[key]?.trim() ?? ''
  if (className === '') return
  const isHeader = key === 'header.converter'
  const range = raw[`${key}.plugin.version`]?.trim() ?? ''
  const definition =
    (isHeader ? await resolver.resolve(className, 'header-converter', range) : undefined) ??
    (await resolver.resolve(className, 'converter', range))
  const usable = definition && (!isHeader || 'createHeader' in definition) && definition.kind !== 'transformation'
  if (!usable) {
    report.addError(key, classNotFound(key, className))
    return
  }
  checkVersion(report, raw, `${key}.plugin.version`, definition.name, versionsOf(resolver, className, definition))
  const checked = report.check(definition.config, { prefix: `${key}.` })
  if (!checked.valid) return
  tryCreate(report, `${key}.`, key, () => {
    const { values } = parseConfig(definition.config, withoutPrefix(raw, `${key}.`))
    const context = { isKey: key === 'key.converter', logger: silentLogger }
    if (isHeader) (definition as HeaderConverterDefinition).createHeader(values, context)
    else (definition as ConverterDefinition).create(values, context)
  })
}

/** Refuses a range that none of the installed versions lies in. */
export function checkVersion(
  report: ConfigReport,
  raw: RawConfig,
  key: string,
  name: string,
  versions: readonly string[],
): void {
  const range = raw[key]?.trim() ?? ''
  const fits = versions.map((version) => versionInRange(version, range))
  if (fits.includes(undefined)) report.addError(key, invalid(key, range, 'Not a version nor a range of versions'))
  else if (!fits.includes(true)) report.addError(key, noVersionInRange(name, range, versions))
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
