import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { realDisk } from '../../../../src/base/real/index.ts'
import { scanPackages } from '../../../../src/connect/plugins/package-scan.ts'

let folder: string
let warnings: string[]

const leaveOut = (path: string, reason: string) => void warnings.push(`${path}: ${reason}`)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-plugins-'))
  warnings = []
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function writePackage(path: string, millrace: unknown, more: object = {}): void {
  mkdirSync(join(folder, path), { recursive: true })
  const json = { name: path.replace(/^.*node_modules\//, ''), version: '3.2.1', ...more, millrace }
  writeFileSync(join(folder, path, 'package.json'), JSON.stringify(json))
  writeFileSync(join(folder, path, 'plugin.js'), 'throw new Error("was imported")')
}

const plugin = { kind: 'sink', name: 'org.x.XSink', aliases: ['X'], module: './plugin.js' }
const scan = () => scanPackages([folder], realDisk, leaveOut)

describe('looking for plugins', () => {
  it('finds packages side by side, in node_modules and in scopes, without importing them', () => {
    writePackage('a', { plugins: [plugin] })
    writePackage('node_modules/b', { plugins: [{ ...plugin, version: '9.0.0' }] })
    writePackage('node_modules/@scope/c', { plugins: [plugin, { ...plugin, name: 'Other', kind: 'source' }] })
    writePackage('node_modules/no-plugin', undefined)
    const found = scan().map((one) => [one.package, one.name, one.kind, one.version])
    expect(found).toEqual([
      ['a', 'org.x.XSink', 'sink', '3.2.1'],
      ['@scope/c', 'org.x.XSink', 'sink', '3.2.1'],
      ['@scope/c', 'Other', 'source', '3.2.1'],
      ['b', 'org.x.XSink', 'sink', '9.0.0'],
    ])
    expect(warnings).toEqual([])
  })

  it('takes an entry that is itself a package', () => {
    writePackage('single', { plugins: [plugin] })
    const found = scanPackages([join(folder, 'single')], realDisk, leaveOut)
    expect(found.map((one) => one.module)).toEqual([join(folder, 'single', 'plugin.js')])
  })

  for (const [what, millrace] of [
    ['plugins is no list', { plugins: {} }],
    ['kind', { plugins: [{ ...plugin, kind: 'magic' }] }],
    ['name', { plugins: [{ ...plugin, name: '' }] }],
    ['module is missing', { plugins: [{ ...plugin, module: 'nope.js' }] }],
    ['module leaves the package', { plugins: [{ ...plugin, module: '../good/plugin.js' }] }],
  ] as const) {
    it(`leaves out a package that is wrong (${what}) and says so, and keeps the others`, () => {
      writePackage('bad', millrace)
      writePackage('good', { plugins: [plugin] })
      expect(scan().map((one) => one.package)).toEqual(['good'])
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toContain('bad')
    })
  }

  it('leaves out broken JSON and entries that do not exist', () => {
    mkdirSync(join(folder, 'broken'))
    writeFileSync(join(folder, 'broken', 'package.json'), '{"millrace"')
    expect(scanPackages([folder, join(folder, 'nowhere')], realDisk, leaveOut)).toEqual([])
    expect(warnings).toHaveLength(2)
  })
})
