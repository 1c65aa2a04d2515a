import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sdkVersion } from '@millrace/sdk'
import type { InstalledPackage, PackageManifest } from '../../connect/index.ts'
import { UsageError } from '../usage-error.ts'
import { FILE_LIST, integrityOf, isOther, listFiles } from './file-list.ts'
import { npmError, runNpm } from './npm.ts'
import { type Candidate, manifestOf } from './package-source.ts'
import { writeTar } from './tar.ts'

/** A root that is complete, not yet in its place. */
export interface StagedRoot {
  readonly entry: InstalledPackage
  readonly manifest: PackageManifest
  /** What the user should know. */
  readonly notes: readonly string[]
}

const SDK_TARBALL = 'sdk.tgz'
const PACKAGE_TARBALL = 'package.tgz'

/** Files and folders only, no links, and a lock of what was installed, whatever the user's own settings of npm are. */
const INSTALL = [
  'install',
  '--omit=dev',
  '--no-bin-links',
  '--install-strategy=hoisted',
  '--package-lock',
  // The audit checks what came from a registry by where it came from.
  '--omit-lockfile-registry-resolved=false',
]

/** Of the packages in a root, as npm's package-lock.json has them. */
export interface LockedPackage {
  readonly name: string
  readonly version: string
  readonly resolved: string
  readonly integrity: string
  readonly hasInstallScript: boolean
  /** It is made for some systems only. */
  readonly isForPlatform: boolean
}

/** The name of the root of a package: the content is part of it, so that a replaced version never shares a path. */
export function rootName(name: string, version: string, integrity: string): string {
  const digest = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex').slice(0, 8)
  return `${name.replace(/^@/, '').replace('/', '+')}@${version}-${digest}`
}

/**
 * Installs a package with all it depends on into a folder of its own. The SDK is a package without code there: workers load
 * their own for every plugin, and npm checks the ranges of dependencies against its version.
 */
export async function buildRoot(folder: string, { source, manifest, tarball, integrity }: Candidate): Promise<void> {
  const { name, version } = manifest
  mkdirSync(folder, { recursive: true })
  const sdk = { name: '@millrace/sdk', version: sdkVersion, description: 'Stands for the SDK of the worker' }
  const sdkFiles = [{ path: 'package/package.json', content: Buffer.from(JSON.stringify(sdk)) }]
  writeFileSync(join(folder, SDK_TARBALL), await writeTar(sdkFiles))
  const isFromRegistry = source.type === 'registry'
  if (!isFromRegistry) writeFileSync(join(folder, PACKAGE_TARBALL), tarball)
  const dependencies = {
    [name]: isFromRegistry ? version : `file:./${PACKAGE_TARBALL}`,
    '@millrace/sdk': `file:./${SDK_TARBALL}`,
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`)
  const result = await runNpm(folder, INSTALL)
  if (result.exitCode !== 0) throw npmError(result)
  rmSync(join(folder, PACKAGE_TARBALL), { force: true })
  checkInstalled(folder, name, version, isFromRegistry ? integrity : null)
}

/** What npm has put there must be what was looked into before. */
function checkInstalled(folder: string, name: string, version: string, integrity: string | null): void {
  const inside = join(folder, 'node_modules', name)
  const installed = manifestOf(name, readFileSync(join(inside, 'package.json')), (path) =>
    existsSync(join(inside, path)),
  )
  const locked = lockedPackages(folder).find((one) => one.name === name && one.version === version)
  const isSame = installed.version === version && locked !== undefined
  if (!isSame || (integrity !== null && isOther(locked.integrity, integrity)))
    throw new UsageError(`npm installed another ${name} than the ${version} that was fetched before; try again`)
}

/** Writes the list of all files; answers its digest, which goes into the lock. */
export function sealRoot(folder: string): string {
  const text = `${JSON.stringify(listFiles(folder), null, 1)}\n`
  writeFileSync(join(folder, FILE_LIST), text)
  return integrityOf(text)
}

/** The packages in a root but the stand-in of the SDK. */
export function lockedPackages(folder: string): readonly LockedPackage[] {
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    packages?: Record<string, Record<string, unknown>>
  }
  return Object.entries(lock.packages ?? {}).flatMap(([path, entry]) => {
    const at = path.lastIndexOf('node_modules/')
    if (at < 0) return []
    const name = typeof entry['name'] === 'string' ? entry['name'] : path.slice(at + 'node_modules/'.length)
    if (name === '@millrace/sdk') return []
    const text = (key: string) => (typeof entry[key] === 'string' ? entry[key] : '')
    return [
      {
        name,
        version: text('version'),
        resolved: text('resolved'),
        integrity: text('integrity'),
        hasInstallScript: entry['hasInstallScript'] === true,
        isForPlatform: entry['os'] !== undefined || entry['cpu'] !== undefined,
      },
    ]
  })
}
