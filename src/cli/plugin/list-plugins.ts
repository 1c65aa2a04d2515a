import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { realDisk } from '../../base/real/index.ts'
import {
  type DeclaredPlugin,
  findPackages,
  type InstalledPackage,
  packageFolder,
  readDirectory,
} from '../../connect/index.ts'
import { changedFiles } from './file-list.ts'

/** What the testkit proved of a package: the guarantee of each class, as its conformance.json says. */
export type Proofs = ReadonlyMap<string, string>

/** One package of a plugin directory. */
export interface ListedPackage {
  readonly name: string
  readonly version: string
  readonly plugins: readonly (DeclaredPlugin & { readonly proved: string | null })[]
  /** Why a worker leaves it out. */
  readonly problems: readonly string[]
  /** What differs from what was installed; null for a package that `millrace plugin` did not install. */
  readonly changes: readonly string[] | null
  readonly entry: InstalledPackage | null
}

/** The packages of a plugin directory, those too that somebody put there by hand. */
export function listPlugins(directory: string): readonly ListedPackage[] {
  const entries = readDirectory(directory, realDisk)
  const unreadable: ListedPackage[] = []
  const found = findPackages(directory, realDisk, (path, reason) => {
    unreadable.push({ name: path, version: '', plugins: [], problems: [reason], changes: null, entry: null })
  })
  const listed = found.map(({ folder, manifest }): ListedPackage => {
    const entry = entries.find((one) => packageFolder(directory, one) === folder) ?? null
    const proofs = proofsIn(folder)
    return {
      name: manifest.name,
      version: manifest.version,
      plugins: manifest.plugins.map((plugin) => ({ ...plugin, proved: proofs.get(plugin.name) ?? null })),
      problems: manifest.problems,
      changes: entry === null ? null : changedFiles(join(directory, entry.root), entry.files),
      entry,
    }
  })
  const lost = entries.filter((entry) => !listed.some((one) => one.entry === entry))
  const gone = lost.map((entry): ListedPackage => {
    const { name, version } = entry
    const problems = ['its files are gone; add it again']
    return {
      name,
      version,
      plugins: [],
      problems,
      changes: changedFiles(join(directory, entry.root), entry.files),
      entry,
    }
  })
  return [...listed, ...gone, ...unreadable]
}

/** What the conformance.json of a package proves; nothing where it has none. */
function proofsIn(folder: string): Proofs {
  try {
    const { plugins } = JSON.parse(readFileSync(join(folder, 'conformance.json'), 'utf8')) as {
      plugins?: readonly { name?: string; guarantee?: string }[]
    }
    return new Map((plugins ?? []).map(({ name = '', guarantee = '' }) => [name, guarantee]))
  } catch {
    return new Map()
  }
}
