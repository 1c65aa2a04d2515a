import type { Disk } from '../../base/index.ts'
import { PACKAGE_NAME } from './package-manifest.ts'

/** How a package came into a plugin directory. */
export interface PackageSource {
  readonly type: 'registry' | 'tarball' | 'folder' | 'bundle' | 'remote'
  /** What the user named. */
  readonly spec: string
}

/** What is known of where a package was built. */
export interface Provenance {
  /**
   * `verified`: npm has checked the attestation; `unverified`: there is one that could not be checked; `none`: the registry
   * offers none; `local`: it did not come from a registry.
   */
  readonly state: 'verified' | 'unverified' | 'none' | 'local'
  /** The repository and commit that an attestation names, or why it could not be checked. */
  readonly detail: string
}

/** A package of a plugin directory, one entry for each version. */
export interface InstalledPackage {
  readonly name: string
  readonly version: string
  /** The folder in the directory that has the package and all it depends on, in its `node_modules`. */
  readonly root: string
  readonly source: PackageSource
  /** Of the tarball, as npm writes it: `sha512-..`. */
  readonly integrity: string
  /** Of the list of all files in the root. */
  readonly files: string
  /** The registry's signature of the package. */
  readonly signature: 'verified' | 'none' | 'unchecked'
  readonly provenance: Provenance
  /** When it was installed, ISO 8601. */
  readonly installed: string
}

/** The file that says what is installed: what it does not name is not there for a worker. */
export const DIRECTORY_LOCK = 'millrace-plugins.json'

const LOCK_VERSION = 1
const ROOT = /^(?!\.)[@\w.+-]+$/

/** The lock of a plugin directory cannot be read. */
export class PluginDirectoryError extends Error {
  override name = 'PluginDirectoryError'
  readonly code = 'PLUGIN_DIRECTORY'
}

/** What `millrace plugin add` has put into a directory; nothing for a folder that it never wrote to. */
export function readDirectory(directory: string, disk: Disk): readonly InstalledPackage[] {
  const path = `${directory}/${DIRECTORY_LOCK}`
  if (!disk.exists(path)) return []
  const wrong = (what: string) => new PluginDirectoryError(`${path}: ${what}; restore it or add the plugins anew`)
  let lock: { lockVersion?: unknown; packages?: unknown }
  try {
    lock = JSON.parse(disk.readFile(path).toString('utf8')) as typeof lock
  } catch {
    throw wrong('it is no JSON')
  }
  if (lock.lockVersion !== LOCK_VERSION) throw wrong(`lockVersion is not ${LOCK_VERSION}`)
  if (!Array.isArray(lock.packages)) throw wrong('`packages` is no list')
  const packages = lock.packages as readonly InstalledPackage[]
  for (const { name, version, root } of packages) {
    // The folder is built from these, so none may lead out of the directory.
    const isFine = typeof version === 'string' && PACKAGE_NAME.test(String(name)) && ROOT.test(String(root))
    if (!isFine) throw wrong(`${name}@${version} in ${root} is no entry`)
  }
  return packages
}

/**
 * Writes the lock so that a crash leaves the old or the new one. This is the moment at which packages come and go. Their order
 * is that of their coming, which decides whose a class name is.
 */
export function writeDirectory(directory: string, packages: readonly InstalledPackage[], disk: Disk): void {
  const text = `${JSON.stringify({ lockVersion: LOCK_VERSION, packages }, null, 2)}\n`
  disk.replaceFile(`${directory}/${DIRECTORY_LOCK}`, text)
}

/** Where in the directory the package itself is. */
export function packageFolder(directory: string, { root, name }: Pick<InstalledPackage, 'root' | 'name'>): string {
  return `${directory}/${root}/node_modules/${name}`
}

/**
 * Changes whenever packages are added to or removed from one of the directories. It costs two looks at each, so it may be
 * asked for with every request.
 */
export function directoriesStamp(directories: readonly string[], disk: Disk): string {
  return directories
    .flatMap((directory) => [directory, `${directory}/${DIRECTORY_LOCK}`])
    .map((path) => {
      if (!disk.exists(path)) return '-'
      const { size, modifiedMs } = disk.stat(path)
      return `${size}:${modifiedMs}`
    })
    .join(' ')
}
