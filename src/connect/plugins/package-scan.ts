import type { Disk } from '../../base/index.ts'
import { type DeclaredPlugin, type PackageManifest, readManifest } from './package-manifest.ts'
import { packageFolder, readDirectory } from './plugin-directory.ts'

/** A plugin of an npm package, as its package.json tells it; plain data, so that it can be sent to a host. */
export interface PackagePlugin extends DeclaredPlugin {
  /** The npm name of the package; its plugins share hosts. */
  readonly package: string
  readonly packageVersion: string
  /** The path of the module whose default export is the definition. */
  readonly module: string
}

/** A package with plugins, where it is. */
export interface FoundPackage {
  readonly folder: string
  readonly manifest: PackageManifest
}

/** More folders below one entry of plugin.path are not looked at: it is not a folder of plugins then. */
const MAX_PACKAGES = 10_000

/**
 * Finds the plugins in the folders of `plugin.path` without importing their code: packages whose package.json has a
 * `millrace` key. An entry may be a package, a folder of packages, a folder with a `node_modules` of packages, or a
 * directory of `millrace plugin`. What cannot be used is left out: one bad package must not keep a worker from
 * starting.
 */
export function scanPackages(
  paths: readonly string[],
  disk: Disk,
  leaveOut: (path: string, reason: string) => void,
): readonly PackagePlugin[] {
  const found: PackagePlugin[] = []
  for (const path of paths) {
    if (!disk.exists(path) || !disk.isDirectory(path)) {
      leaveOut(path, 'this entry of plugin.path is not a folder')
      continue
    }
    for (const { folder, manifest } of findPackages(path, disk, leaveOut)) {
      const { name, version, plugins, problems } = manifest
      if (problems.length > 0) leaveOut(`${folder}/package.json`, `${name}@${version}: ${problems.join('; ')}`)
      else {
        const where = { package: name, packageVersion: version }
        found.push(...plugins.map((plugin) => ({ ...plugin, ...where, module: `${folder}/${plugin.module}` })))
      }
    }
  }
  return found
}

/** The packages with a `millrace` key below an entry of `plugin.path`, those with problems too. */
export function findPackages(
  path: string,
  disk: Disk,
  onUnreadable: (path: string, reason: string) => void,
): readonly FoundPackage[] {
  return packageFolders(path, disk, onUnreadable).flatMap((folder) => {
    try {
      const json: unknown = JSON.parse(disk.readFile(`${folder}/package.json`).toString('utf8'))
      const manifest = readManifest(json, (file) => disk.exists(`${folder}/${file}`))
      return manifest ? [{ folder, manifest }] : []
    } catch (error) {
      onUnreadable(`${folder}/package.json`, textOf(error))
      return []
    }
  })
}

function packageFolders(
  path: string,
  disk: Disk,
  onUnreadable: (path: string, reason: string) => void,
): readonly string[] {
  if (disk.exists(`${path}/package.json`) && declaresPlugins(path, disk)) return [path]
  const roots = disk.exists(`${path}/node_modules`) ? [path, `${path}/node_modules`] : [path]
  const folders = installedFolders(path, disk, onUnreadable)
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

/** What `millrace plugin add` has installed, each version in a root of its own. */
function installedFolders(path: string, disk: Disk, onUnreadable: (path: string, reason: string) => void): string[] {
  try {
    return readDirectory(path, disk).map((entry) => packageFolder(path, entry))
  } catch (error) {
    onUnreadable(path, textOf(error))
    return []
  }
}

function declaresPlugins(folder: string, disk: Disk): boolean {
  return disk.readFile(`${folder}/package.json`).includes('"millrace"')
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
