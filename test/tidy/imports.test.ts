import { expect, test } from 'vitest'
import { sourceFiles, textOf } from './files.ts'
import { violations } from './import-table.ts'

const files = sourceFiles('src', 'connectors', 'transforms', 'plugins').filter((file) => !file.includes('/test/'))

test('every import follows the import table', () => {
  expect(files.length).toBeGreaterThan(50)
  expect(files.flatMap((file) => violations(file, textOf(file)))).toEqual([])
})

test('properties are tested with the same examples every time', () => {
  const tests = sourceFiles('test', 'plugins').filter((file) => file.endsWith('.test.ts'))
  const asserting = tests.filter((file) => /\bfc\s*\.assert\(/.test(textOf(file)))
  expect(asserting.length).toBeGreaterThan(30)
  expect(asserting.filter((file) => !/property-settings\.ts'|\bseed:/.test(textOf(file)))).toEqual([])
})

test.each([
  ['src/log/a.ts', "import { x } from '../connect/index.ts'"],
  ['src/log/a.ts', "import type { X } from '../connect/index.ts'"],
  ['src/log/a.ts', "export * from '../broker/index.ts'"],
  ['src/log/a.ts', "const x = await import('../broker/index.ts')"],
  ['src/log/a.ts', 'const x = await import(name)'],
  ['src/connect/herder/a.ts', "import { Log } from '../../log/index.ts'"],
  ['src/broker/a.ts', "import { Log } from '../log/segment.ts'"],
  ['connectors/file/source.ts', "import { assert } from '../../src/base/index.ts'"],
  ['connectors/file/source.ts', "import { x } from '../jdbc/url.ts'"],
  ['src/nowhere/a.ts', "import { x } from '../base/index.ts'"],
])('the checker sees a violation in %s: %s', (file, text) => {
  expect(violations(file, text)).toHaveLength(1)
})
