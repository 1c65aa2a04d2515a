import { expect, test } from 'vitest'
import { type PackagePlugin, PluginRegistry } from '../../../../src/connect/index.ts'
import { usesOf } from '../../../../src/cli/plugin/in-use.ts'

function plugin(name: string, from: string, version: string, kind: PackagePlugin['kind'] = 'source'): PackagePlugin {
  const where = { package: from, packageVersion: version, module: `/${from}@${version}/x.js` }
  return { kind, name, aliases: [`io.old.${name}`], version, title: '', summary: '', ...where }
}

const registry = new PluginRegistry(
  [],
  [
    plugin('Wave', 'wave', '1.0.0'),
    plugin('Wave', 'wave', '2.0.0'),
    plugin('Stamp', 'stamp', '1.0.0', 'transformation'),
    plugin('Other', 'other', '1.0.0'),
  ],
)
const uses = (name: string, version: string, config: Record<string, string>, running: readonly string[] = []) =>
  usesOf(registry, { name, version }, [{ name: 'c', config, running }])

const wave = { 'connector.class': 'io.old.Wave' }

test.each([
  ['the newest by a connector that runs nowhere', '2.0.0', wave, [], ['c (connector.class=io.old.Wave)']],
  ['not the older one', '1.0.0', wave, [], []],
  [
    'the older one by a range',
    '1.0.0',
    { ...wave, 'connector.plugin.version': '[1,2)' },
    [],
    ['c (connector.class=io.old.Wave)'],
  ],
  ['not the newest beside a range', '2.0.0', { ...wave, 'connector.plugin.version': '[1,2)' }, [], []],
  ['the older one by who runs it since before', '1.0.0', wave, ['1.0.0'], ['c (connector.class=io.old.Wave)']],
  ['not the newest that does not run yet', '2.0.0', wave, ['1.0.0'], []],
  [
    'both while tasks are ahead of their connector',
    '2.0.0',
    wave,
    ['1.0.0', '2.0.0'],
    ['c (connector.class=io.old.Wave)'],
  ],
  [
    'the newest where what runs is not installed any more',
    '2.0.0',
    wave,
    ['0.9.0'],
    ['c (connector.class=io.old.Wave)'],
  ],
])('a version is in use: %s', (_, version, config, running, expected) => {
  expect(uses('wave', version, config, running)).toEqual(expected)
})

test('a transformation is used by the connector that names it, and by no other', () => {
  const config = { 'connector.class': 'Other', transforms: 't', 'transforms.t.type': 'Stamp' }
  expect(uses('stamp', '1.0.0', config, ['1.0.0'])).toEqual(['c (transforms.t.type=Stamp)'])
  expect(uses('stamp', '1.0.0', { 'connector.class': 'Other' })).toEqual([])
  expect(uses('wave', '2.0.0', config)).toEqual([])
})
