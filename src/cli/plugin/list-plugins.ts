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

/** What the testkit says of a plugin in the conformance.json of its package. */
export interface Conformance {
  /** The guarantee that the checks bear out; null when they do not. */
  readonly proved: string | null
  readonly passed: number
  readonly failed: number
}

/** One package of a plugin directory. */
export interface ListedPackage {
  readonly name: string
  readonly version: string
  readonly plugins: readonly (DeclaredPlugin & { readonly conformance: Conformance | null })[]
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
    const conformance = conformanceIn(folder, manifest.version)
    return {
      name: manifest.name,
      version: manifest.version,
      plugins: manifest.plugins.map((plugin) => ({ ...plugin, conformance: conformance.get(plugin.name) ?? null })),
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

/** What the testkit wrote into the package, if it was of this version. */
function conformanceIn(folder: string, version: string): ReadonlyMap<string, Conformance> {
  let report: ConformanceFile
  try {
    report = JSON.parse(readFileSync(join(folder, 'conformance.json'), 'utf8')) as ConformanceFile
  } catch {
    return new Map()
  }
  if (report.package?.version !== version) return new Map()
  return new Map(
    (report.plugins ?? []).map(({ name = '', guarantee, passed = 0, failed = 0 }) => {
      const proved = failed === 0 ? (guarantee?.proved ?? null) : null
      return [name, { proved, passed, failed }]
    }),
  )
}

interface ConformanceFile {
  readonly package?: { readonly version?: string }
  readonly plugins?: readonly {
    readonly name?: string
    readonly guarantee?: { readonly proved?: string | null }
    readonly passed?: number
    readonly failed?: number
  }[]
}
