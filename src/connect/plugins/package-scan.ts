import type { PluginKind } from '@millrace/sdk'
import type { Disk, Logger } from '../../base/index.ts'

/** A plugin of an npm package, as its package.json tells it; plain data, so that it can be sent to a host. */
export interface PackagePlugin {
  readonly kind: PluginKind
  readonly name: string
  readonly aliases: readonly string[]
  readonly version: string
  readonly title: string
  readonly summary: string
  /** The npm name of the package; its plugins share hosts. */
  readonly package: string
  /** The path of the module whose default export is the definition. */
  readonly module: string
}

const KINDS: readonly PluginKind[] = ['source', 'sink', 'transformation', 'predicate', 'converter', 'header-converter']

/** More folders below one entry of plugin.path are not looked at: it is not a folder of plugins then. */
const MAX_PACKAGES = 10_000

/**
 * Finds the plugins in the folders of `plugin.path` without importing their code: packages whose package.json has a
 * `millrace` key. An entry may be a package, a folder of packages, or a folder with a `node_modules` of packages.
 * What cannot be read is logged and left out: one bad package must not keep a worker from starting.
 */
export function scanPackages(paths: readonly string[], disk: Disk, logger: Logger): readonly PackagePlugin[] {
  const found: PackagePlugin[] = []
  for (const path of paths) {
    if (!disk.exists(path) || !disk.isDirectory(path)) {
      logger.warn({ path }, 'an entry of plugin.path is not a folder; it is left out')
      continue
    }
    for (const folder of packageFolders(path, disk)) found.push(...readPackage(folder, disk, logger))
  }
  return found
}

function packageFolders(path: string, disk: Disk): readonly string[] {
  if (disk.exists(`${path}/package.json`) && declaresPlugins(path, disk)) return [path]
  const roots = disk.exists(`${path}/node_modules`) ? [path, `${path}/node_modules`] : [path]
  const folders: string[] = []
  for (const root of roots) {
    for (const name of disk.list(root).toSorted()) {
      if (name.startsWith('.') || name === 'node_modules') continue
      const child = `${root}/${name}`
      if (!disk.isDirectory(child)) continue
      if (!name.startsWith('@')) folders.push(child)
      else for (const inner of disk.list(child).toSorted()) folders.push(`${child}/${inner}`)
    }
  }
  return folders.filter((folder) => disk.exists(`${folder}/package.json`)).slice(0, MAX_PACKAGES)
}

function declaresPlugins(folder: string, disk: Disk): boolean {
  return disk.readFile(`${folder}/package.json`).includes('"millrace"')
}

function readPackage(folder: string, disk: Disk, logger: Logger): readonly PackagePlugin[] {
  const path = `${folder}/package.json`
  try {
    const json = JSON.parse(disk.readFile(path).toString('utf8')) as Record<string, unknown>
    const declared = json['millrace'] as { plugins?: unknown } | undefined
    if (declared === undefined) return []
    if (!Array.isArray(declared.plugins)) throw new Error('`millrace.plugins` must be a list')
    return declared.plugins.map((entry: unknown, index) => readPlugin(entry, index, json, folder, disk))
  } catch (error) {
    logger.warn(
      { path, reason: error instanceof Error ? error.message : String(error) },
      'a plugin package is left out',
    )
    return []
  }
}

function readPlugin(
  entry: unknown,
  index: number,
  json: Readonly<Record<string, unknown>>,
  folder: string,
  disk: Disk,
): PackagePlugin {
  const where = `millrace.plugins[${index}]`
  if (typeof entry !== 'object' || entry === null) throw new Error(`${where} must be an object`)
  const { kind, name, aliases, version, module, title, summary } = entry as Record<string, unknown>
  if (!KINDS.includes(kind as PluginKind)) throw new Error(`${where}.kind must be one of ${KINDS.join(', ')}`)
  if (typeof name !== 'string' || name === '') throw new Error(`${where}.name must be a class name`)
  if (typeof module !== 'string') throw new Error(`${where}.module must be the path of a JavaScript module`)
  const target = `${folder}/${module.replace(/^\.\//, '')}`
  if (module.split('/').includes('..') || !disk.exists(target)) {
    throw new Error(`${where}.module: there is no ${module} in the package`)
  }
  const packageVersion = typeof json['version'] === 'string' ? json['version'] : '0.0.0'
  return {
    kind: kind as PluginKind,
    name,
    aliases: Array.isArray(aliases) ? aliases.filter((alias) => typeof alias === 'string') : [],
    version: typeof version === 'string' ? version : packageVersion,
    title: typeof title === 'string' ? title : name,
    summary: typeof summary === 'string' ? summary : '',
    package: typeof json['name'] === 'string' ? json['name'] : folder,
    module: target,
  }
}
