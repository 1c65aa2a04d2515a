import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import { realDisk } from '../../../../src/base/real/index.ts'
import { PackageWatch } from '../../../../src/connect/plugins/package-watch.ts'
import { scanPackages } from '../../../../src/connect/plugins/package-scan.ts'
import {
  DIRECTORY_LOCK,
  type InstalledPackage,
  packageFolder,
  readDirectory,
  writeDirectory,
} from '../../../../src/connect/plugins/plugin-directory.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-directory-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function install(version: string, name = '@org/x'): InstalledPackage {
  const entry: InstalledPackage = {
    name,
    version,
    root: `org+x@${version}-0123abcd`,
    source: { type: 'folder', spec: '/x' },
    integrity: 'sha512-x',
    files: 'sha512-y',
    signature: 'none',
    provenance: { state: 'local', detail: '' },
    installed: '2026-01-01T00:00:00.000Z',
  }
  const inside = packageFolder(folder, entry)
  mkdirSync(inside, { recursive: true })
  const millrace = { plugins: [{ kind: 'sink', name: 'XSink', module: 'x.js' }] }
  writeFileSync(join(inside, 'package.json'), JSON.stringify({ name, version, millrace }))
  writeFileSync(join(inside, 'x.js'), '')
  return entry
}

describe('a plugin directory', () => {
  it('has what its lock names, in the order of its coming, and nothing else', () => {
    const [second, first] = [install('2.0.0'), install('1.0.0')]
    install('3.0.0')
    writeDirectory(folder, [second, first], realDisk)
    expect(readDirectory(folder, realDisk)).toEqual([second, first])
    const found = scanPackages([folder], realDisk, () => {})
    expect(found.map((one) => [one.package, one.packageVersion])).toEqual([
      ['@org/x', '2.0.0'],
      ['@org/x', '1.0.0'],
    ])
  })

  it.each([
    ['no JSON', 'text'],
    ['another version', '{"lockVersion": 9, "packages": []}'],
    ['no list', '{"lockVersion": 1}'],
    ['a root outside', '{"lockVersion": 1, "packages": [{"name": "x", "version": "1", "root": "../x"}]}'],
    ['a name outside', '{"lockVersion": 1, "packages": [{"name": "../x", "version": "1", "root": "x"}]}'],
  ])('whose lock cannot be trusted (%s) is left out with a warning, and what lies beside it is found', (_, lock) => {
    writeFileSync(join(folder, DIRECTORY_LOCK), lock)
    expect(() => readDirectory(folder, realDisk)).toThrow(DIRECTORY_LOCK)
    const plain = join(folder, 'plain')
    mkdirSync(plain)
    const millrace = { plugins: [{ kind: 'sink', name: 'Plain', module: 'package.json' }] }
    writeFileSync(join(plain, 'package.json'), JSON.stringify({ name: 'plain', version: '1.0.0', millrace }))
    const warnings: string[] = []
    expect(scanPackages([folder], realDisk, (path) => void warnings.push(path)).map((one) => one.name)).toEqual([
      'Plain',
    ])
    expect(warnings).toEqual([folder])
  })
})

describe('a watch of plugin.path', () => {
  it('tells what came and went, and each complaint once', () => {
    const said: string[] = []
    const watch = new PackageWatch(` ${folder} , `, realDisk, {
      ...silentLogger,
      warn: (fields) => void said.push(JSON.stringify(fields)),
    })
    expect(watch.changed()).toEqual([])
    expect(watch.changed()).toBeUndefined()
    writeDirectory(folder, [install('1.0.0')], realDisk)
    expect(watch.changed()?.map((one) => one.packageVersion)).toEqual(['1.0.0'])
    expect(watch.changed()).toBeUndefined()
    writeFileSync(join(folder, DIRECTORY_LOCK), 'no lock any more')
    expect(watch.changed()).toEqual([])
    writeFileSync(join(folder, DIRECTORY_LOCK), 'no lock any more, and longer')
    expect(watch.changed()).toBeUndefined()
    expect(said).toHaveLength(1)
  })
})
