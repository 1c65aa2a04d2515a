import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { InstalledPackage } from '../../connect/index.ts'
import { UsageError } from '../usage-error.ts'
import { BUNDLE_FILE, BUNDLE_ROOT, BUNDLE_VERSION, type BundleHead, PLATFORM } from './bundle-format.ts'
import { changedFiles } from './file-list.ts'
import { type BundleFiles, manifestOf } from './package-source.ts'
import { rootName, type StagedRoot } from './root-folder.ts'
import type { TarFile } from './tar.ts'

/** Unpacks a bundle into a folder that is to become a root, and checks that it is whole. */
export function unpackBundle({ source, bundle }: BundleFiles, folder: string): StagedRoot {
  const head = headOf(source.spec, bundle)
  const inside = new Map(
    bundle
      .filter(({ path }) => path.startsWith(BUNDLE_ROOT))
      .map(({ path, content }) => [path.slice(BUNDLE_ROOT.length), content]),
  )
  const { name, version, integrity } = head.package
  const within = `node_modules/${name}`
  const manifest = manifestOf(source.spec, inside.get(`${within}/package.json`), (path) =>
    inside.has(`${within}/${path}`),
  )
  for (const [path, content] of inside) {
    const target = join(folder, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, content)
  }
  const [change] = changedFiles(folder, head.package.files)
  const isComplete = inside.has('package-lock.json') && manifest.name === name && manifest.version === version
  if (change !== undefined || !isComplete) {
    throw new UsageError(`${source.spec} is damaged: ${change ?? 'it is not what it says'}; make it anew`)
  }
  const { state, detail } = head.package.provenance
  const provenance = { state: 'local', detail: `it comes from a bundle, which says: ${state}, ${detail}` } as const
  const entry: InstalledPackage = {
    name,
    version,
    root: rootName(name, version, integrity),
    source,
    integrity,
    files: head.package.files,
    provenance,
    signature: 'unchecked',
    installed: new Date().toISOString(),
  }
  return { entry, manifest, notes: manifest.notes }
}

function headOf(spec: string, bundle: readonly TarFile[]): BundleHead {
  const wrong = (what: string) => new UsageError(`${spec} cannot be added: ${what}`)
  let head: BundleHead | null
  try {
    const file = bundle.find(({ path }) => path === BUNDLE_FILE)
    head = JSON.parse(file?.content.toString('utf8') ?? '') as BundleHead | null
  } catch {
    throw wrong(`${BUNDLE_FILE} is no JSON`)
  }
  if (head?.bundleVersion !== BUNDLE_VERSION) throw wrong('it was made by another version of Millrace; make it anew')
  const { integrity, files, provenance } = head.package ?? {}
  if (!/^sha512-[\w+/=]+$/.test(String(integrity)) || typeof files !== 'string' || provenance === undefined) {
    throw wrong(`${BUNDLE_FILE} says too little`)
  }
  if (head.platform !== null && head.platform !== PLATFORM) {
    throw wrong(`it was made for ${head.platform}, and this is ${PLATFORM}; make one here`)
  }
  return head
}
