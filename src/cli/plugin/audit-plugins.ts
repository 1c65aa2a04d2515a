import { join } from 'node:path'
import { realDisk } from '../../base/real/index.ts'
import { type InstalledPackage, type Provenance, readDirectory } from '../../connect/index.ts'
import { changedFiles, isOther } from './file-list.ts'
import { isOffline, npmError, NpmError, runNpm } from './npm.ts'
import { Registries } from './registry-signatures.ts'
import { type LockedPackage, lockedPackages } from './root-folder.ts'

/** An advisory about a package or one that it depends on. */
export interface Advisory {
  readonly package: string
  readonly severity: string
  readonly title: string
  readonly url: string
}

export interface AuditedPackage {
  readonly name: string
  readonly version: string
  /** Files that are not as they were installed. */
  readonly changes: readonly string[]
  /** Packages in it whose signature is not right, with the reason. */
  readonly signatures: readonly string[]
  /** How many packages have a signature that was verified. */
  readonly verified: number
  readonly advisories: readonly Advisory[]
  readonly provenance: Provenance
  /** What could not be checked, and why. */
  readonly unchecked: readonly string[]
}

/** Registries are asked for so many packages at a time. */
const CONCURRENCY = 4

/** Checks each package of a plugin directory: its files, the signatures of all that is in it, and what is known against it. */
export async function auditPlugins(directory: string, offline: boolean): Promise<readonly AuditedPackage[]> {
  const audited: AuditedPackage[] = []
  for (const entry of readDirectory(directory, realDisk)) audited.push(await auditPackage(directory, entry, offline))
  return audited
}

/** 0: nothing is wrong; 1: something is; 2: nothing is wrong as far as could be checked, but that was not all. */
export function auditExitCode(packages: readonly AuditedPackage[], offline: boolean): number {
  const isWrong = packages.some(
    ({ changes, signatures, advisories }) => changes.length + signatures.length + advisories.length > 0,
  )
  if (isWrong) return 1
  return !offline && packages.some(({ unchecked }) => unchecked.length > 0) ? 2 : 0
}

async function auditPackage(directory: string, entry: InstalledPackage, offline: boolean): Promise<AuditedPackage> {
  const { name, version, provenance } = entry
  const root = join(directory, entry.root)
  const changes = changedFiles(root, entry.files)
  const base = { name, version, changes, provenance }
  const nothing = { signatures: [], verified: 0, advisories: [] }
  // npm would read what was changed.
  if (changes.length > 0)
    return { ...base, ...nothing, unchecked: ['signatures and advisories, as files were changed'] }
  if (offline) return { ...base, ...nothing, unchecked: ['signatures and advisories, by --offline'] }
  const fromRegistry = lockedPackages(root).filter(({ resolved }) => /^https?:/.test(resolved))
  if (fromRegistry.length === 0) return { ...base, ...nothing, unchecked: [] }
  const signed = await auditSignatures(root, fromRegistry)
  const known = await advisoriesOf(root)
  const unchecked = [...signed.unchecked, ...(typeof known === 'string' ? [`advisories: ${known}`] : [])]
  const { signatures, verified } = signed
  return { ...base, signatures, verified, advisories: typeof known === 'string' ? [] : known, unchecked }
}

async function auditSignatures(root: string, fromRegistry: readonly LockedPackage[]) {
  const registries = new Registries(root)
  const signatures: string[] = []
  const reasons = new Set<string>()
  let verified = 0
  const check = async ({ name, version, integrity }: LockedPackage) => {
    const { published, report } = await registries.signatureOf(name, version)
    if (report.state === 'verified') verified++
    if (report.state === 'invalid') signatures.push(`${name}@${version}: ${report.detail}`)
    else if (published !== null && isOther(published.integrity, integrity)) {
      signatures.push(`${name}@${version}: what is installed is not what the registry has`)
    }
    if (report.state === 'unchecked') reasons.add(`signatures: ${report.detail}`)
  }
  for (let at = 0; at < fromRegistry.length && reasons.size === 0; at += CONCURRENCY) {
    await Promise.all(fromRegistry.slice(at, at + CONCURRENCY).map(check))
  }
  return { signatures, verified, unchecked: [...reasons] }
}

/** What `npm audit` knows; text says why it could not be asked. */
async function advisoriesOf(root: string): Promise<readonly Advisory[] | string> {
  const result = await runNpm(root, ['audit', '--omit=dev', '--audit', '--json', '--fetch-retries=0'])
  try {
    return readAdvisories(JSON.parse(result.stdout))
  } catch {
    const error = npmError(result)
    return isOffline(error) ? `the registry cannot be reached (${error.message})` : error.message
  }
}

/** The advisories in the answer of `npm audit --json`; throws for what is no such answer. */
export function readAdvisories(answer: unknown): readonly Advisory[] {
  const { vulnerabilities } = answer as {
    vulnerabilities?: Record<string, { via?: readonly (string | Partial<Advisory>)[] }>
  }
  if (vulnerabilities === undefined) throw new NpmError('npm audit did not answer', '')
  return Object.entries(vulnerabilities).flatMap(([name, { via = [] }]) =>
    via.flatMap((one) =>
      typeof one === 'string'
        ? []
        : [{ package: name, severity: one.severity ?? '', title: one.title ?? '', url: one.url ?? '' }],
    ),
  )
}
