import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { realDisk } from '../../base/real/index.ts'
import { type InstalledPackage, readDirectory } from '../../connect/index.ts'
import { UsageError } from '../usage-error.ts'
import { stagePackage } from './add-plugin.ts'
import { BUNDLE_FILE, BUNDLE_ROOT, BUNDLE_VERSION, type BundleHead, PLATFORM } from './bundle-format.ts'
import { changedFiles, FILE_LIST, filesBelow, integrityOf } from './file-list.ts'
import { fetchPackage } from './package-source.ts'
import { installedAs } from './remove-plugin.ts'
import { lockedPackages } from './root-folder.ts'
import { type TarFile, writeTar } from './tar.ts'

/** Where a bundle was written. */
export interface BundleReport {
  readonly file: string
  readonly name: string
  readonly version: string
  readonly bytes: number
  readonly integrity: string
  readonly platform: string | null
}

/** Writes a bundle of a package that is installed in a directory. */
export async function bundleInstalled(
  directory: string,
  spec: string,
  output: string | undefined,
): Promise<BundleReport> {
  const entry = installedAs(readDirectory(directory, realDisk), spec, directory)
  const root = join(directory, entry.root)
  const [change] = changedFiles(root, entry.files)
  if (change !== undefined) throw new UsageError(`${entry.name}@${entry.version} is not as it was installed: ${change}`)
  return writeBundle(root, entry, output)
}

/** Fetches a package with all it depends on and writes a bundle of it. */
export async function bundlePackage(
  spec: string,
  output: string | undefined,
  requireProvenance: boolean,
): Promise<BundleReport> {
  const work = mkdtempSync(join(tmpdir(), 'millrace-bundle-'))
  try {
    const fetched = await fetchPackage(spec, join(work, 'fetched'))
    if ('bundle' in fetched) throw new UsageError(`${spec} is a bundle already`)
    const root = join(work, 'root')
    const { entry } = await stagePackage(fetched, root, requireProvenance)
    return await writeBundle(root, entry, output)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function writeBundle(root: string, entry: InstalledPackage, output: string | undefined): Promise<BundleReport> {
  const { name, version } = entry
  const file = resolve(output ?? `${name.replace(/^@/, '').replace('/', '-')}-${version}-bundle.tgz`)
  const platform = lockedPackages(root).some((one) => one.isForPlatform) ? PLATFORM : null
  const content = await packBundle(root, entry, platform)
  realDisk.replaceFile(file, content)
  return { file, name, version, bytes: content.length, integrity: integrityOf(content), platform }
}

/** One archive with a package and all it depends on, from a root that is complete. */
async function packBundle(folder: string, entry: InstalledPackage, platform: string | null): Promise<Buffer> {
  const head: BundleHead = { bundleVersion: BUNDLE_VERSION, package: entry, platform }
  const files: TarFile[] = [FILE_LIST, ...filesBelow(folder)].map((path) => ({
    path: `${BUNDLE_ROOT}${path}`,
    content: readFileSync(join(folder, path)),
  }))
  return writeTar([{ path: BUNDLE_FILE, content: Buffer.from(`${JSON.stringify(head, null, 2)}\n`) }, ...files])
}
