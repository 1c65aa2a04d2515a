import { sdkVersion } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { readManifest } from '../../../../src/connect/plugins/package-manifest.ts'

const plugin = { kind: 'sink', name: 'org.x.XSink', module: './dist/x.js' }
const good = {
  name: '@org/x',
  version: '1.2.3',
  peerDependencies: { '@millrace/sdk': `^${sdkVersion}` },
  millrace: { manifest: 1, plugins: [plugin] },
}
const read = (json: unknown) => readManifest(json, (path) => path === 'dist/x.js' || path === 'x.ts')
const withPlugin = (change: object) => ({ ...good, millrace: { plugins: [{ ...plugin, ...change }] } })

describe('the manifest of a package', () => {
  it('is read with what is left out filled in', () => {
    expect(read(good)).toEqual({
      name: '@org/x',
      version: '1.2.3',
      plugins: [{ ...plugin, aliases: [], version: '1.2.3', title: 'org.x.XSink', summary: '', module: 'dist/x.js' }],
      problems: [],
      notes: [],
    })
    const told = { aliases: ['a.B'], version: '9.0.0', title: 'X', summary: 'Y', delivery: 'exactly-once' }
    expect(read(withPlugin(told))?.plugins).toEqual([{ ...plugin, ...told, module: 'dist/x.js' }])
  })

  it('is not there in other packages', () => {
    expect(read({ name: 'left-pad', version: '1.0.0' })).toBeUndefined()
    expect(read('text')).toBeUndefined()
  })

  it.each([
    [
      'another SDK',
      { ...good, peerDependencies: { '@millrace/sdk': '^9.1.0' } },
      `it needs @millrace/sdk ^9.1.0, and this Millrace has ${sdkVersion}`,
    ],
    [
      'another SDK by its own key',
      { ...good, millrace: { ...good.millrace, sdk: '>=9' } },
      'it needs @millrace/sdk >=9',
    ],
    [
      'a range that is none',
      { ...good, peerDependencies: { '@millrace/sdk': 'file:../sdk' } },
      '"file:../sdk" is no range',
    ],
    ['a later form', { ...good, millrace: { ...good.millrace, manifest: 2 } }, 'update Millrace'],
    ['a name with a path', { ...good, name: '../x' }, '`name` must be'],
    ['no version', { ...good, version: 'next' }, '`version` must be'],
    ['no list', { ...good, millrace: { plugins: {} } }, '`millrace.plugins` must be a list'],
    ['an empty list', { ...good, millrace: { plugins: [] } }, 'at least one plugin'],
    ['an entry that is no object', { ...good, millrace: { plugins: ['x'] } }, 'plugins[0]` must be an object'],
    ['a kind', withPlugin({ kind: 'magic' }), 'plugins[0].kind` must be one of source, sink'],
    ['a class name', withPlugin({ name: 'a b' }), 'plugins[0].name` must be a class name'],
    ['a guarantee', withPlugin({ delivery: 'always' }), 'plugins[0].delivery` must be one of'],
    ['no module', withPlugin({ module: undefined }), 'plugins[0].module` must be the path'],
    [
      'a module that is not there',
      withPlugin({ module: 'dist/y.js' }),
      'there is no dist/y.js in the package; build it first',
    ],
    ['a module outside', withPlugin({ module: '../dist/x.js' }), 'there is no ../dist/x.js'],
    ['TypeScript', withPlugin({ module: 'x.ts' }), 'x.ts is TypeScript'],
    ['a class twice', { ...good, millrace: { plugins: [plugin, plugin] } }, 'names the class org.x.XSink twice'],
  ])('tells what is wrong: %s', (_, json, problem) => {
    expect(read(json)?.problems).toEqual([expect.stringContaining(problem)])
  })

  it('notes an SDK of its own, and a range that is missing', () => {
    const own = { ...good, peerDependencies: {}, dependencies: { '@millrace/sdk': '^0.1.0' } }
    expect(read(own)).toMatchObject({ problems: [], notes: [expect.stringContaining('belongs in `peerDependencies`')] })
    expect(read({ ...good, peerDependencies: {} })).toMatchObject({
      problems: [],
      notes: [expect.stringContaining('does not name')],
    })
  })
})
