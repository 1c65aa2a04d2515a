import { expect, test } from 'vitest'
import { parseOptions } from '../src/options.ts'

test('what is not given is left open', () => {
  const open = { name: undefined, type: undefined, description: undefined, licence: undefined, author: undefined }
  const flags = { install: true, yes: false, json: false, help: false, version: false }
  expect(parseOptions([])).toEqual({ ...open, ...flags, repository: undefined, packages: {} })
})

test('what is given is read, in any case of its letters', () => {
  const args = ['drawer', '--type', 'SINK', '--license', 'mit', '--repository', 'https://github.com/acme/drawer.git']
  const options = parseOptions([...args, '--no-install', '-y', '--package', '@millrace/sdk=file:/a=b.tgz'])
  expect(options).toMatchObject({ name: 'drawer', type: 'sink', licence: 'MIT', repository: 'acme/drawer', yes: true })
  expect(options).toMatchObject({ install: false, packages: { '@millrace/sdk': 'file:/a=b.tgz' } })
})

test.each([
  [['--type', 'fountain'], '--type takes source, sink, transform, converter, not "fountain"'],
  [['--license', 'WTF'], '--license takes'],
  [['--repository', 'drawer'], '--repository takes owner/name'],
  [['--package', 'vitest'], '--package takes name=spec'],
  [['--colour'], '--colour'],
  [['a', 'b'], 'one name is expected, not 2'],
])('%j is refused with: %s', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message)
})
