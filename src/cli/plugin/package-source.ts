import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type PackageManifest, type PackageSource, readManifest } from '../../connect/index.ts'
import { UsageError } from '../usage-error.ts'
import { BUNDLE_FILE } from './bundle-format.ts'
import { integrityOf } from './file-list.ts'
import { isOffline, NpmError, npmJson } from './npm.ts'
import { readTar, TarError, type TarFile } from './tar.ts'

/** A package that was fetched and looked into; nothing of it is installed yet. */
export interface Candidate {
  readonly source: PackageSource
  readonly manifest: PackageManifest
  /** The tarball as npm packs it; for a bundle the files of all that belongs to it. */
  readonly tarball: Buffer
  readonly integrity: string
}

/** A bundle of `millrace plugin bundle`, unpacked. */
export interface BundleFiles {
  readonly source: PackageSource
  readonly bundle: readonly TarFile[]
}

/** `name`, `@scope/name`, each with a version, range or tag behind an `@`: what is looked up in the registry. */
const REGISTRY_SPEC = /^(?:@[\w.~-]+\/)?[\w.~-]+(?:@[^/:]*)?$/

/** The type of what a user names: a folder or an archive that is there, else what npm knows to find. */
export function sourceOf(spec: string): PackageSource {
  const looksLocal = /^(?:\.{1,2}$|\.{0,2}[/\\]|[A-Za-z]:\\)|\.tgz$/.test(spec) && !/^[a-z+]+:\/\//.test(spec)
  if (looksLocal || (existsSync(spec) && !REGISTRY_SPEC.test(spec))) {
    const path = resolve(spec)
    if (!existsSync(path)) throw new UsageError(`there is no ${path}`)
    return { type: statSync(path).isDirectory() ? 'folder' : 'tarball', spec: path }
  }
  return { type: REGISTRY_SPEC.test(spec) ? 'registry' : 'remote', spec }
}

/** Fetches and checks what a user names. `work` is an empty folder for npm. */
export async function fetchPackage(spec: string, work: string): Promise<Candidate | BundleFiles> {
  const source = sourceOf(spec)
  const tarball = source.type === 'tarball' ? readFileSync(source.spec) : await packed(source, work)
  const files = await filesOf(source, tarball)
  if (files.some(({ path }) => path === BUNDLE_FILE)) {
    return { source: { type: 'bundle', spec: source.spec }, bundle: files }
  }
  // npm leaves the first folder of a tarball out, whatever its name.
  const inside = new Map(files.map(({ path, content }) => [path.slice(path.indexOf('/') + 1), content]))
  const manifest = manifestOf(source.spec, inside.get('package.json'), (path) => inside.has(path))
  return { source, manifest, tarball, integrity: integrityOf(tarball) }
}

/** Has npm pack a folder, or fetch a package: npm checks what it fetches against the registry's sha512. */
async function packed(source: PackageSource, work: string): Promise<Buffer> {
  mkdirSync(work, { recursive: true })
  const answer = await npmPack(source, work)
  const [entry] = Array.isArray(answer) ? (answer as { filename?: string }[]) : []
  if (entry?.filename === undefined) throw new UsageError(`npm packed nothing for ${source.spec}`)
  return readFileSync(`${work}/${entry.filename}`)
}

async function npmPack(source: PackageSource, work: string): Promise<unknown> {
  try {
    return await npmJson(work, ['pack', source.spec, '--pack-destination', work])
  } catch (error) {
    if (!(error instanceof NpmError)) throw error
    if (error.code === 'E404') throw new UsageError(`the registry has no ${source.spec} (${error.message})`)
    const hint = isOffline(error) ? '; without a network add a bundle (millrace plugin bundle)' : ''
    throw new UsageError(`${source.spec} cannot be fetched: ${error.message}${hint}`)
  }
}

async function filesOf(source: PackageSource, tarball: Buffer): Promise<readonly TarFile[]> {
  try {
    return await readTar(tarball)
  } catch (error) {
    if (error instanceof TarError) throw new UsageError(`${source.spec}: ${error.message}`)
    throw error
  }
}

/** The manifest of a package that can be used; what is wrong with it is told all at once. */
export function manifestOf(
  spec: string,
  packageJson: Buffer | undefined,
  hasFile: (path: string) => boolean,
): PackageManifest {
  if (packageJson === undefined) throw new UsageError(`${spec} is no npm package: it has no package.json`)
  let json: unknown
  try {
    json = JSON.parse(packageJson.toString('utf8'))
  } catch {
    throw new UsageError(`${spec}: package.json is no JSON`)
  }
  const manifest = readManifest(json, hasFile)
  if (!manifest) {
    const { name = spec } = json as { name?: string }
    throw new UsageError(`${name} is no plugin of Millrace: its package.json has no \`millrace\` key`)
  }
  if (manifest.problems.length > 0) {
    throw new UsageError(
      [`${manifest.name}@${manifest.version} cannot be added:`, ...manifest.problems.map((line) => `  ${line}`)].join(
        '\n',
      ),
    )
  }
  return manifest
}
