import { expect, test } from 'vitest'
import { pluginReferences } from '../../../../src/connect/plugins/plugin-references.ts'

test('a configuration names a connector, converters, transformations and predicates, each with the versions that will do', () => {
  const config = {
    name: 'x',
    'connector.class': ' Source ',
    'connector.plugin.version': '[1,2)',
    'key.converter': 'K',
    'header.converter': 'H',
    'header.converter.plugin.version': '3',
    transforms: 'a,b',
    'transforms.a.type': 'A',
    'transforms.a.plugin.version': 'latest',
    'transforms.b.type': 'B',
    'transforms.b.field.type': 'no class',
    'predicates.p.type': 'P',
    'my.connector.class': 'no class',
  }
  expect(pluginReferences(config).map(({ key, className, range }) => [key, className, range])).toEqual([
    ['connector.class', 'Source', '[1,2)'],
    ['key.converter', 'K', ''],
    ['header.converter', 'H', '3'],
    ['transforms.a.type', 'A', 'latest'],
    ['transforms.b.type', 'B', ''],
    ['predicates.p.type', 'P', ''],
  ])
})
