import { ConfigError, defineManifest, type PluginKind, type PluginManifest } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import type { PackagePlugin } from '../../../../src/connect/plugins/package-scan.ts'
import { PluginRegistry } from '../../../../src/connect/plugins/plugin-registry.ts'

function manifest(name: string, kind: PluginKind, more: Partial<PluginManifest> = {}): PluginManifest {
  const load = () => Promise.resolve({ default: { kind, name } })
  return defineManifest({
    kind,
    name,
    aliases: [],
    version: '1.0.0',
    title: name,
    summary: '',
    stability: 'stable',
    load,
    ...more,
  })
}

const find = (registry: PluginRegistry, name: string, kinds?: PluginKind[]) => registry.find(name, kinds)?.manifest.name

describe('plugins are found', () => {
  const registry = new PluginRegistry(
    [
      manifest('org.a.FileSourceConnector', 'source', { aliases: ['io.old.FileReaderConnector'] }),
      manifest('org.a.TwiceConnector', 'source'),
      manifest('org.b.TwiceConnector', 'sink'),
      manifest('org.a.JsonConverter', 'converter'),
      manifest('org.a.JsonHeaderConverter', 'header-converter'),
      manifest('org.a.Insert$Value', 'transformation'),
    ],
    [],
  )
  it('by their class, an alias, the simple name, and that without its suffix', () => {
    for (const name of [
      'org.a.FileSourceConnector',
      'io.old.FileReaderConnector',
      'FileSourceConnector',
      'FileSource',
      'FileReader',
    ]) {
      expect([name, find(registry, name)]).toEqual([name, 'org.a.FileSourceConnector'])
    }
  })

  it('not by a simple name that two connectors share, but by their full names', () => {
    expect(find(registry, 'TwiceConnector')).toBeUndefined()
    expect(find(registry, 'Twice')).toBeUndefined()
    expect(find(registry, 'org.b.TwiceConnector')).toBe('org.b.TwiceConnector')
  })

  it('by kind where kinds share a short name', () => {
    expect(find(registry, 'Json', ['converter'])).toBe('org.a.JsonConverter')
    expect(find(registry, 'Json', ['header-converter'])).toBe('org.a.JsonHeaderConverter')
  })

  it('not by the simple name of a nested class', () => {
    expect(find(registry, 'Insert$Value')).toBeUndefined()
    expect(find(registry, 'org.a.Insert$Value')).toBe('org.a.Insert$Value')
  })

  it('or the error names the class and what there is', async () => {
    await expect(registry.load('Nope', ['source'])).rejects.toThrow(ConfigError)
    await expect(registry.load('Nope', ['source'])).rejects.toThrow(/matches Nope, available are: org\.a\.FileSource/)
  })

  it('with the newest of several versions', () => {
    const older = manifest('org.a.X', 'sink', { version: '1.9.0' })
    const newer = manifest('org.a.X', 'sink', { version: '1.10.0' })
    expect(new PluginRegistry([newer, older], []).find('org.a.X')?.manifest.version).toBe('1.10.0')
  })

  it('and listed in the order of Kafka', () => {
    const kinds = registry.list().map((plugin) => plugin.manifest.kind)
    expect(kinds).toEqual(['sink', 'source', 'source', 'transformation', 'converter', 'header-converter'])
  })
})

describe('loading a plugin', () => {
  it('imports its code only then, and once', async () => {
    let loads = 0
    const load = () => {
      loads++
      return Promise.resolve({ default: { kind: 'sink', name: 'S' } })
    }
    const registry = new PluginRegistry([manifest('S', 'sink', { load })], [])
    expect(loads).toBe(0)
    const [first, second] = await Promise.all([registry.load('S', ['sink']), registry.load('S', ['sink'])])
    expect(first).toBe(second)
    expect(loads).toBe(1)
  })

  it('is tried again after it failed', async () => {
    let broken = true
    const load = () =>
      broken ? Promise.reject(new Error('missing driver')) : Promise.resolve({ default: { kind: 'sink', name: 'S' } })
    const registry = new PluginRegistry([manifest('S', 'sink', { load })], [])
    await expect(registry.load('S', ['sink'])).rejects.toThrow('missing driver')
    broken = false
    expect(await registry.load('S', ['sink'])).toEqual({ kind: 'sink', name: 'S' })
  })

  it('refuses a module that exports something else than its manifest says', async () => {
    const wrongKind = manifest('S', 'sink', { load: () => Promise.resolve({ default: { kind: 'source' } }) })
    await expect(new PluginRegistry([wrongKind], []).load('S', ['sink'])).rejects.toThrow(/declared as sink.*source/)
    const nothing = manifest('S', 'sink', { load: () => Promise.resolve({}) })
    await expect(new PluginRegistry([nothing], []).load('S', ['sink'])).rejects.toThrow(/default/)
  })

  it('of a package imports the file its manifest names', async () => {
    const module = new URL('../../../../plugins/examples/steady/source.js', import.meta.url).pathname
    const plugin: PackagePlugin = {
      kind: 'source',
      name: 'SteadySource',
      aliases: [],
      version: '1.2.0',
      title: '',
      summary: '',
      package: 'steady',
      packageVersion: '1.2.0',
      module,
    }
    const registry = new PluginRegistry([], [plugin])
    expect((await registry.load('SteadySource', ['source'])).name).toBe('SteadySource')
    expect(registry.find('SteadySource')?.package).toBe('steady')
  })
})
