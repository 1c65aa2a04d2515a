import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sdkVersion } from '@millrace/sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BUNDLE_FILE, PLATFORM } from '../../../../src/cli/plugin/bundle-format.ts'
import { FILE_LIST, integrityOf } from '../../../../src/cli/plugin/file-list.ts'
import { unpackBundle } from '../../../../src/cli/plugin/unpack-bundle.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-bundle-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const packageJson = {
  name: 'x',
  version: '1.0.0',
  peerDependencies: { '@millrace/sdk': `^${sdkVersion}` },
  millrace: { plugins: [{ kind: 'sink', name: 'XSink', module: 'x.js' }] },
}
const BARE: Readonly<Record<string, string>> = {
  'node_modules/x/package.json': JSON.stringify(packageJson),
  'node_modules/x/x.js': 'export default 1',
}
const FILES = { ...BARE, 'package-lock.json': '{}' }

/** The files of a bundle; `damage` goes over what is in it after its list was made. */
function bundle(
  head: object = {},
  damage: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = FILES,
) {
  const digests = Object.entries(files).map(([path, text]) => [path, integrityOf(text)])
  const list = JSON.stringify(Object.fromEntries(digests))
  const about = {
    name: 'x',
    version: '1.0.0',
    root: '../../elsewhere',
    integrity: integrityOf('tarball'),
    files: integrityOf(list),
    provenance: { state: 'verified', detail: 'a repository' },
  }
  const all = {
    ...Object.fromEntries(Object.entries({ ...files, [FILE_LIST]: list, ...damage }).map(([k, v]) => [`root/${k}`, v])),
    [BUNDLE_FILE]: JSON.stringify({ bundleVersion: 1, package: about, platform: null, ...head }),
  }
  const bytes = Object.entries(all).map(([path, text]) => ({ path, content: Buffer.from(text) }))
  return { source: { type: 'bundle' as const, spec: 'x.tgz' }, bundle: bytes }
}

const unpack = (files: ReturnType<typeof bundle>) => unpackBundle(files, folder)

describe('a bundle', () => {
  it('is unpacked to a root whose name and origin are not for the bundle to say', () => {
    const { entry, manifest } = unpack(bundle())
    expect(entry.root).toMatch(/^x@1\.0\.0-[0-9a-f]{8}$/)
    expect(entry.provenance).toEqual({
      state: 'local',
      detail: 'it comes from a bundle, which says: verified, a repository',
    })
    expect([entry.signature, manifest.plugins[0]?.name]).toEqual(['unchecked', 'XSink'])
    expect(readFileSync(join(folder, 'node_modules/x/x.js'), 'utf8')).toBe('export default 1')
  })

  it.each([
    ['of this system', { platform: PLATFORM }],
    ['of any', { platform: null }],
  ])('%s is taken', (_, head) => {
    expect(unpack(bundle(head)).entry.name).toBe('x')
  })

  it.each([
    ['of another system', bundle({ platform: 'amiga-m68k' }), `it was made for amiga-m68k, and this is ${PLATFORM}`],
    ['of another form', bundle({ bundleVersion: 2 }), 'made by another version of Millrace'],
    ['that says too little', bundle({ package: {} }), 'says too little'],
    ['with a changed file', bundle({}, { 'node_modules/x/x.js': 'evil' }), 'node_modules/x/x.js was changed'],
    ['with a file more', bundle({}, { 'node_modules/x/y.js': 'evil' }), 'node_modules/x/y.js was added'],
    ['with another list', bundle({}, { [FILE_LIST]: '{}' }), `${FILE_LIST} was changed`],
    ['without its lock', bundle({}, {}, BARE), 'it is not what it says'],
  ])('%s is refused', (_, files, message) => {
    expect(() => unpack(files)).toThrow(message)
  })
})
