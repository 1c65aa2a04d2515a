import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { realDisk } from '../../base/real/index.ts'
import {
  conflictText,
  type InstalledPackage,
  type PackageManifest,
  readDirectory,
  writeDirectory,
} from '../../connect/index.ts'
import { UsageError } from '../usage-error.ts'
import { changedFiles, isOther } from './file-list.ts'
import { type Candidate, fetchPackage } from './package-source.ts'
import { changeDirectory } from './plugin-folder.ts'
import { provenanceOf } from './provenance.ts'
import { registryWith } from './registry-of-directory.ts'
import { Registries } from './registry-signatures.ts'
import { buildRoot, lockedPackages, rootName, sealRoot, type StagedRoot } from './root-folder.ts'
import { unpackBundle } from './unpack-bundle.ts'

export interface AddOptions {
  /** Replace what is installed under the same version; add although another package has a class of the same name. */
  readonly force: boolean
  readonly requireProvenance: boolean
}

export interface AddReport {
  readonly entry: InstalledPackage
  readonly manifest: PackageManifest
  /** What the user should know. */
  readonly notes: readonly string[]
  /** False when it was there already. */
  readonly added: boolean
}

/**
 * Installs a package into a plugin directory: it is fetched, looked into, built beside its place and comes there by a rename; a
 * worker sees it when the lock names it. Whatever fails before leaves the directory as it was.
 */
export async function addPlugin(directory: string, spec: string, options: AddOptions): Promise<AddReport> {
  return changeDirectory(directory, async (stage) => {
    const installed = readDirectory(directory, realDisk)
    const fetched = await fetchPackage(spec, join(stage, 'fetched'))
    const folder = join(stage, 'root')
    if ('bundle' in fetched) {
      if (options.requireProvenance)
        throw new UsageError('the provenance of a bundle cannot be checked; add the package from its registry')
      const staged = unpackBundle(fetched, folder)
      return place(directory, folder, staged, installed, options)
    }
    const { manifest, integrity } = fetched
    const present = sameVersion(installed, manifest)
    if (present?.integrity === integrity) return alreadyThere(directory, present, manifest, options)
    refuseReplacing(present, options.force)
    const staged = await stagePackage(fetched, folder, options.requireProvenance)
    return place(directory, folder, staged, installed, options)
  })
}

/** Builds the root of a package in a folder, with all that is to be known of it. */
export async function stagePackage(
  candidate: Candidate,
  folder: string,
  requireProvenance: boolean,
): Promise<StagedRoot> {
  const { source, manifest, integrity } = candidate
  const { name, version } = manifest
  const id = `${name}@${version}`
  if (requireProvenance && source.type !== 'registry') {
    throw new UsageError(`${id} has no provenance: it comes from a ${source.type}, not from a registry`)
  }
  await buildRoot(folder, candidate)
  const origin = source.type === 'registry' ? await originOf(folder, name, version, integrity) : null
  const provenance = origin?.provenance ?? { state: 'local' as const, detail: `it comes from a ${source.type}` }
  if (requireProvenance && provenance.state !== 'verified') {
    throw new UsageError(`${id} has no provenance that was verified: ${provenance.detail}`)
  }
  const scripts = lockedPackages(folder).filter((one) => one.hasInstallScript)
  const names = [...new Set(scripts.map((one) => `${one.name}@${one.version}`))].join(', ')
  const notes = [...manifest.notes, ...(origin?.notes ?? [])]
  if (names !== '') notes.push(`install scripts do not run: ${names} may lack what its script would have made`)
  const entry: InstalledPackage = {
    name,
    version,
    root: rootName(name, version, integrity),
    source,
    integrity,
    files: sealRoot(folder),
    signature: origin?.signature ?? 'none',
    provenance,
    installed: new Date().toISOString(),
  }
  return { entry, manifest, notes }
}

async function originOf(folder: string, name: string, version: string, integrity: string) {
  const registries = new Registries(folder)
  const { published, report } = await registries.signatureOf(name, version)
  if (report.state === 'invalid') throw new UsageError(`${name}@${version} is refused: ${report.detail}`)
  if (published !== null && isOther(published.integrity, integrity)) {
    throw new UsageError(`${name}@${version} is refused: what was fetched is not what the registry says it has`)
  }
  const notes = report.detail === '' ? [] : [`signature: ${report.detail}`]
  return {
    signature: report.state,
    notes,
    provenance: await provenanceOf(folder, registries, name, version, published),
  }
}

/** Brings a staged root to its place. */
function place(
  directory: string,
  folder: string,
  { entry, manifest, notes }: StagedRoot,
  installed: readonly InstalledPackage[],
  options: AddOptions,
): AddReport {
  const { force } = options
  const present = sameVersion(installed, manifest)
  if (present?.integrity === entry.integrity) return alreadyThere(directory, present, manifest, options)
  refuseReplacing(present, force)
  const duplicates = duplicatesOf(directory, folder, entry)
  if (duplicates.length > 0 && !force) {
    throw new UsageError(`${duplicates.join('\n')}, or add it all the same with --force`)
  }
  renameSync(folder, join(directory, entry.root))
  realDisk.syncDirectory(directory)
  const others = installed.map((one) => (one === present ? entry : one))
  writeDirectory(directory, present ? others : [...others, entry], realDisk)
  if (present) rmSync(join(directory, present.root), { recursive: true, force: true })
  return { entry, manifest, notes: [...notes, ...duplicates], added: true }
}

/** The same content again: fine, when what is there is whole and has what is asked for. */
function alreadyThere(
  directory: string,
  entry: InstalledPackage,
  manifest: PackageManifest,
  { requireProvenance }: AddOptions,
): AddReport {
  const { name, version, provenance } = entry
  const again = `remove it (millrace plugin remove ${name}@${version}) and add it again`
  const [change] = changedFiles(join(directory, entry.root), entry.files)
  if (change !== undefined) throw new UsageError(`${name}@${version} is installed, but ${change}; ${again}`)
  if (requireProvenance && provenance.state !== 'verified') {
    throw new UsageError(`${name}@${version} is installed without provenance that was verified; ${again}`)
  }
  return { entry, manifest, notes: [], added: false }
}

function sameVersion(installed: readonly InstalledPackage[], { name, version }: PackageManifest) {
  return installed.find((one) => one.name === name && one.version === version)
}

function refuseReplacing(present: InstalledPackage | undefined, force: boolean): void {
  if (!present || force) return
  throw new UsageError(
    `${present.name}@${present.version} is installed with other content (${present.integrity.slice(0, 20)}..); ` +
      'give the new content a version of its own, or replace the old one with --force',
  )
}

/** Classes of a staged package that belong to somebody else. */
function duplicatesOf(directory: string, folder: string, entry: InstalledPackage): readonly string[] {
  const paths = [directory, join(folder, 'node_modules', entry.name)]
  return registryWith(paths)
    .conflicts.filter(({ package: name, packageVersion }) => name === entry.name && packageVersion === entry.version)
    .map(conflictText)
}
