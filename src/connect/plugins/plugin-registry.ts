import { pathToFileURL } from 'node:url'
import { ConfigError, type PluginDefinition, type PluginKind, type PluginManifest } from '@millrace/sdk'
import type { PackagePlugin } from './package-scan.ts'
import { compareVersions, noVersionInRange, versionInRange } from '../config/plugin-version.ts'
import { shortNames } from './plugin-names.ts'

/** A plugin that can be used, whether built in or from a package. */
export interface Plugin {
  readonly manifest: PluginManifest
  /** The npm package it comes from; null for what is built in. */
  readonly package: string | null
  /** The version of that package. */
  readonly packageVersion: string | null
}

/** A class that cannot be used, because its name belongs to another package. */
export interface NameConflict {
  readonly name: string
  readonly package: string
  readonly packageVersion: string
  /** The package that has the name; null for what is built in. */
  readonly owner: string | null
}

/**
 * Knows the plugins by their names. It imports no code of theirs before `load`. A name belongs to whoever comes first:
 * what is built in, then packages in the order of `plugin.path`. Another package cannot take it over, whatever its version.
 */
export class PluginRegistry {
  readonly #plugins: readonly Plugin[]
  /** All versions of a name, the newest last; null where a short name means several plugins. */
  readonly #byName = new Map<string, Plugin[] | null>()
  readonly #loaded = new Map<Plugin, Promise<PluginDefinition>>()
  readonly conflicts: readonly NameConflict[]

  constructor(builtin: readonly PluginManifest[], packages: readonly PackagePlugin[]) {
    const conflicts: NameConflict[] = []
    const plugins: Plugin[] = []
    for (const manifest of builtin) plugins.push({ manifest, package: null, packageVersion: null })
    const owners = new Map<string, string | null>()
    for (const { name, aliases } of builtin) for (const known of [name, ...aliases]) owners.set(known, null)
    for (const found of packages) {
      const { name, package: from, packageVersion } = found
      const owner = owners.get(name)
      if (owner === undefined || owner === from) {
        owners.set(name, from)
        plugins.push({ manifest: packageManifest(found), package: from, packageVersion })
      } else conflicts.push({ name, package: from, packageVersion, owner })
    }
    this.#plugins = plugins
    this.conflicts = conflicts
    for (const plugin of plugins) this.#addFull(plugin.manifest.name, plugin)
    for (const plugin of plugins) for (const alias of plugin.manifest.aliases) this.#addFull(alias, plugin)
    for (const plugin of plugins) this.#addShort(plugin)
  }

  /** In the order of Kafka's list: sinks, sources, transformations, predicates, converters, header converters. */
  list(): readonly Plugin[] {
    const rank = (plugin: Plugin) => ORDER.indexOf(plugin.manifest.kind)
    return this.#plugins.toSorted((a, b) => rank(a) - rank(b))
  }

  /** All versions of a plugin by its full name, an alias or an unambiguous short name; the newest last. */
  versions(className: string, kinds?: readonly PluginKind[]): readonly Plugin[] {
    const plugins = this.#byName.get(className) ?? []
    return kinds ? plugins.filter(({ manifest }) => kinds.includes(manifest.kind)) : plugins
  }

  /** The newest version of a plugin, or the newest in a range as `connector.plugin.version` has it. */
  find(className: string, kinds?: readonly PluginKind[], range = ''): Plugin | undefined {
    return this.versions(className, kinds).findLast(({ manifest }) => versionInRange(manifest.version, range))
  }

  /** Imports the definition of a plugin; throws a ConfigError that names the class, or the versions, when there is none. */
  async load<K extends PluginKind>(
    className: string,
    kinds: readonly K[],
    range?: string,
  ): Promise<Extract<PluginDefinition, { kind: K }>> {
    const plugin = this.find(className, kinds, range)
    if (!plugin) throw new ConfigError(this.#notFound(className, kinds, range ?? ''))
    return (await this.definition(plugin)) as Extract<PluginDefinition, { kind: K }>
  }

  #notFound(className: string, kinds: readonly PluginKind[], range: string): string {
    const versions = this.versions(className, kinds).map(({ manifest }) => manifest.version)
    if (versions.length > 0) return noVersionInRange(className, range, versions)
    const conflict = this.conflicts.find(({ name }) => name === className)
    const known = this.#plugins.filter(({ manifest }) => kinds.includes(manifest.kind))
    return (
      `Failed to find any class that implements ${kinds.join(' or ')} and which name matches ${className}, ` +
      `available are: ${known.map(({ manifest }) => manifest.name).join(', ')}` +
      (conflict ? `. ${conflictText(conflict)}` : '')
    )
  }

  /** Imports a plugin once. A failed import is tried again the next time, for it may have been mended. */
  definition(plugin: Plugin): Promise<PluginDefinition> {
    let loading = this.#loaded.get(plugin)
    if (!loading) {
      loading = importDefinition(plugin)
      loading.catch(() => this.#loaded.delete(plugin))
      this.#loaded.set(plugin, loading)
    }
    return loading
  }

  #addFull(name: string, plugin: Plugin): void {
    const versions = this.#byName.get(name) ?? []
    if (versions.includes(plugin) || versions.some((other) => other.package !== plugin.package)) return
    insert(versions, plugin)
    this.#byName.set(name, versions)
  }

  /** A simple name that two classes share means none of them, as in Kafka; full names and aliases always win. */
  #addShort(plugin: Plugin): void {
    const { name, aliases, kind } = plugin.manifest
    const names = new Set([name, ...aliases].flatMap((known) => shortNames(known, kind)))
    for (const short of names) {
      const taken = this.#byName.get(short)
      if (taken === undefined) this.#byName.set(short, [plugin])
      else if (taken?.includes(plugin) === true) continue
      else if (taken?.some((other) => other.manifest.name === name) === true) insert(taken, plugin)
      else if (taken !== null) {
        const isFullName = taken.some((other) => [other.manifest.name, ...other.manifest.aliases].includes(short))
        const otherKind = taken.every((other) => family(other) !== family(plugin))
        if (otherKind) taken.push(plugin)
        else if (!isFullName) this.#byName.set(short, null)
      }
    }
  }
}

function insert(versions: Plugin[], plugin: Plugin): void {
  versions.push(plugin)
  versions.sort((a, b) => compareVersions(a.manifest.version, b.manifest.version))
}

/** Says that a class of a package cannot be used, and what can be done. */
export function conflictText({ name, package: from, packageVersion, owner }: NameConflict): string {
  const whose = owner === null ? 'is built in' : `belongs to the package ${owner}`
  const way = owner === null ? `remove ${from}` : `remove one of the two packages`
  return `${name} of ${from}@${packageVersion} cannot be used because a class of this name ${whose}; ${way}`
}

const ORDER: readonly PluginKind[] = ['sink', 'source', 'transformation', 'predicate', 'converter', 'header-converter']

/** Connectors share one name space; a converter and a header converter of one name are looked up by kind. */
function family(plugin: Plugin): string {
  const { kind } = plugin.manifest
  return kind === 'source' || kind === 'sink' ? 'connector' : kind
}

function packageManifest(plugin: PackagePlugin): PluginManifest {
  const { kind, name, aliases, version, title, summary, delivery, module } = plugin
  const load = () => import(pathToFileURL(module).href) as Promise<unknown>
  const manifest = { kind, name, aliases, version, title, summary, stability: 'stable', load } as const
  return delivery === undefined ? manifest : { ...manifest, delivery }
}

async function importDefinition({ manifest, package: from }: Plugin): Promise<PluginDefinition> {
  const module = (await manifest.load()) as { default?: unknown }
  const definition = module.default as PluginDefinition | undefined
  if (typeof definition !== 'object' || definition === null || typeof definition.kind !== 'string') {
    throw new ConfigError(`The module of plugin ${manifest.name} must export its definition as default`)
  }
  const kindFits =
    definition.kind === manifest.kind || (manifest.kind === 'header-converter' && 'createHeader' in definition)
  if (!kindFits) {
    const origin = from === null ? '' : ` of package ${from}`
    throw new ConfigError(
      `Plugin ${manifest.name}${origin} is declared as ${manifest.kind} but its module exports a ${definition.kind}`,
    )
  }
  if (from === null || definition.version === manifest.version) return definition
  // What a range of versions selects, and lists show, is the package's; a definition that says otherwise is corrected.
  return Object.create(definition, { version: { value: manifest.version, enumerable: true } }) as PluginDefinition
}
