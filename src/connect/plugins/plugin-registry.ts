import { pathToFileURL } from 'node:url'
import { ConfigError, type PluginDefinition, type PluginKind, type PluginManifest } from '@millrace/sdk'
import type { PackagePlugin } from './package-scan.ts'
import { shortNames } from './plugin-names.ts'

/** A plugin that can be used, whether built in or from a package. */
export interface Plugin {
  readonly manifest: PluginManifest
  /** The npm package it comes from; null for what is built in. */
  readonly package: string | null
}

/** Knows the plugins by their names. It imports no code of theirs before `load`. */
export class PluginRegistry {
  readonly #plugins: readonly Plugin[]
  /** All versions of a name, the newest last; null where a short name means several plugins. */
  readonly #byName = new Map<string, Plugin[] | null>()
  readonly #loaded = new Map<Plugin, Promise<PluginDefinition>>()

  constructor(builtin: readonly PluginManifest[], packages: readonly PackagePlugin[]) {
    this.#plugins = [
      ...builtin.map((manifest) => ({ manifest, package: null })),
      ...packages.map((plugin) => ({ manifest: packageManifest(plugin), package: plugin.package })),
    ]
    for (const plugin of this.#plugins) {
      const { name, aliases } = plugin.manifest
      for (const known of new Set([name, ...aliases])) this.#addFull(known, plugin)
    }
    for (const plugin of this.#plugins) this.#addShort(plugin)
  }

  /** In the order of Kafka's list: sinks, sources, transformations, predicates, converters, header converters. */
  list(): readonly Plugin[] {
    const rank = (plugin: Plugin) => ORDER.indexOf(plugin.manifest.kind)
    return this.#plugins.toSorted((a, b) => rank(a) - rank(b))
  }

  /** The newest version of a plugin by its full name, an alias or an unambiguous short name. */
  find(className: string, kinds?: readonly PluginKind[]): Plugin | undefined {
    const plugins = this.#byName.get(className) ?? []
    return plugins.findLast((plugin) => !kinds || kinds.includes(plugin.manifest.kind))
  }

  /** Imports the definition of a plugin; throws a ConfigError that names the class when there is none. */
  async load<K extends PluginKind>(
    className: string,
    kinds: readonly K[],
  ): Promise<Extract<PluginDefinition, { kind: K }>> {
    const plugin = this.find(className, kinds)
    if (!plugin) {
      const known = this.#plugins.filter((other) => kinds.includes(other.manifest.kind as K))
      const names = known.map((other) => other.manifest.name).join(', ')
      throw new ConfigError(
        `Failed to find any class that implements ${kinds.join(' or ')} and which name matches ${className}, ` +
          `available are: ${names}`,
      )
    }
    return (await this.definition(plugin)) as Extract<PluginDefinition, { kind: K }>
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
    versions.push(plugin)
    versions.sort((a, b) => compareVersions(a.manifest.version, b.manifest.version))
    this.#byName.set(name, versions)
  }

  /** A simple name that two classes share means none of them, as in Kafka; full names and aliases always win. */
  #addShort(plugin: Plugin): void {
    const { name, aliases, kind } = plugin.manifest
    const names = new Set([name, ...aliases].flatMap((known) => shortNames(known, kind)))
    for (const short of names) {
      const taken = this.#byName.get(short)
      if (taken === undefined) this.#byName.set(short, [plugin])
      else if (taken !== null && !taken.some((other) => other.manifest.name === name)) {
        const isFullName = taken.some((other) => [other.manifest.name, ...other.manifest.aliases].includes(short))
        const otherKind = taken.every((other) => family(other) !== family(plugin))
        if (otherKind) taken.push(plugin)
        else if (!isFullName) this.#byName.set(short, null)
      }
    }
  }
}

const ORDER: readonly PluginKind[] = ['sink', 'source', 'transformation', 'predicate', 'converter', 'header-converter']

/** Connectors share one name space; a converter and a header converter of one name are looked up by kind. */
function family(plugin: Plugin): string {
  const { kind } = plugin.manifest
  return kind === 'source' || kind === 'sink' ? 'connector' : kind
}

function packageManifest(plugin: PackagePlugin): PluginManifest {
  const { kind, name, aliases, version, title, summary, module } = plugin
  const load = () => import(pathToFileURL(module).href) as Promise<unknown>
  return { kind, name, aliases, version, title, summary, stability: 'stable', load }
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
  return definition
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
