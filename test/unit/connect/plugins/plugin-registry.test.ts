import { ConfigError, defineManifest, type PluginKind, type PluginManifest } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import type { PackagePlugin } from '../../../../src/connect/plugins/package-scan.ts'
import { conflictText, PluginRegistry } from '../../../../src/connect/plugins/plugin-registry.ts'

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

function fromPackage(name: string, from: string, version: string, more: Partial<PackagePlugin> = {}): PackagePlugin {
  const where = { package: from, packageVersion: version, module: `/${from}@${version}/x.js` }
  return { kind: 'sink', name, aliases: [], version, title: '', summary: '', ...where, ...more }
}

describe('several versions of a plugin', () => {
  const registry = new PluginRegistry(
    [],
    ['1.10.0', '2.0.0-rc.1', '1.9.0', '2.0.0'].map((version) =>
      fromPackage('org.a.X', 'x', version, { aliases: ['io.old.X'] }),
    ),
  )
  const versionOf = (name: string, range: string) => registry.find(name, undefined, range)?.manifest.version

  it('are in order, under all their names', () => {
    for (const name of ['org.a.X', 'io.old.X', 'X']) {
      const found = registry.versions(name).map(({ manifest }) => manifest.version)
      expect([name, found]).toEqual([name, ['1.9.0', '1.10.0', '2.0.0-rc.1', '2.0.0']])
    }
    expect(registry.list()).toHaveLength(4)
  })

  it.each([
    ['', '2.0.0'],
    ['latest', '2.0.0'],
    ['1.9.0', '1.9.0'],
    ['[1.0,2.0)', '2.0.0-rc.1'],
    ['[1.0,1.10]', '1.10.0'],
    ['(,1.10)', '1.9.0'],
    ['3', undefined],
    ['no range!', undefined],
  ])('are chosen by the range %j: %s', (range, version) => {
    expect(['org.a.X', 'io.old.X', 'X'].map((name) => versionOf(name, range))).toEqual([version, version, version])
  })

  it('or the error names those that there are', async () => {
    await expect(registry.load('X', ['sink'], '[3,)')).rejects.toThrow(
      'Plugin X not found that matches the version range [3,), available versions: [1.9.0, 1.10.0, 2.0.0-rc.1, 2.0.0]',
    )
  })
})

describe('a name belongs to whoever came first', () => {
  const registry = new PluginRegistry(
    [manifest('FileSink', 'sink', { aliases: ['org.k.FileSinkConnector'] })],
    [
      fromPackage('FileSink', 'thief', '99.0.0'),
      fromPackage('org.k.FileSinkConnector', 'thief', '99.0.0'),
      fromPackage('org.a.Y', 'first', '1.0.0', { aliases: ['io.old.Y'] }),
      fromPackage('org.a.Y', 'second', '2.0.0'),
      fromPackage('org.b.Y2', 'second', '2.0.0', { aliases: ['io.old.Y', 'io.own.Y2'] }),
    ],
  )

  it('also when another package has a later version', () => {
    expect(registry.find('FileSink')?.package).toBeNull()
    expect(registry.find('org.k.FileSinkConnector')?.manifest.name).toBe('FileSink')
    expect(registry.find('org.a.Y')?.package).toBe('first')
    expect(registry.find('io.old.Y')?.package).toBe('first')
    expect(registry.find('io.own.Y2')?.package).toBe('second')
    expect(registry.list().map(({ manifest: one }) => one.name)).toEqual(['FileSink', 'org.a.Y', 'org.b.Y2'])
  })

  it('and the others are told', async () => {
    expect(registry.conflicts.map(({ name, package: from, owner }) => [name, from, owner])).toEqual([
      ['FileSink', 'thief', null],
      ['org.k.FileSinkConnector', 'thief', null],
      ['org.a.Y', 'second', 'first'],
    ])
    expect(registry.conflicts.map(conflictText)[2]).toBe(
      'org.a.Y of second@2.0.0 cannot be used because a class of this name belongs to the package first; remove one of the two packages',
    )
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

  it('of a package has the version of the package, whatever its definition says', async () => {
    const load = () => Promise.resolve({ default: { kind: 'sink', name: 'S', version: '0.0.0' } })
    const registry = new PluginRegistry([manifest('S', 'sink', { load, version: '2.0.0' })], [])
    expect((await registry.load('S', ['sink'])).version).toBe('0.0.0')
    const module = new URL('../../../../plugins/examples/steady/source.js', import.meta.url).pathname
    const plugin = fromPackage('SteadySource', 'steady', '7.0.0', { kind: 'source', module })
    const definition = await new PluginRegistry([], [plugin]).load('SteadySource', ['source'])
    expect([definition.version, definition.name, typeof definition.createTask]).toEqual([
      '7.0.0',
      'SteadySource',
      'function',
    ])
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
