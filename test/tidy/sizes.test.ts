import { expect, test } from 'vitest'
import { sourceFiles, textOf } from './files.ts'

const LINES_MAX = 800
const COLUMNS_MAX = 200

function tooLong(file: string, text: string): string[] {
  const lines = text.split('\n')
  const found = lines.length > LINES_MAX ? [`${file} has ${lines.length} lines, at most ${LINES_MAX}`] : []
  // Tests and documentation hold data and prose in lines of their own length.
  if (/^(test|docs)\//.test(file)) return found
  lines.forEach((line, index) => {
    if (line.length > COLUMNS_MAX) found.push(`${file}:${index + 1} has ${line.length} columns, at most ${COLUMNS_MAX}`)
  })
  return found
}

/** Words of unfinished work have no place on main: an issue holds what is left to do. */
function unfinished(file: string, text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (/\b(TODO|FIXME|XXX|HACK)\b/.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : []))
}

const files = sourceFiles('src', 'connectors', 'transforms', 'plugins', 'test', 'docs')

test('no file is too long', () => {
  expect(files.length).toBeGreaterThan(50)
  expect(files.flatMap((file) => tooLong(file, textOf(file)))).toEqual([])
})

test('nothing on main says that it is unfinished', () => {
  const checked = files.filter((file) => !file.startsWith('test/tidy/'))
  expect(checked.flatMap((file) => unfinished(file, textOf(file)))).toEqual([])
})

test('the checkers see what they look for', () => {
  expect(tooLong('a.ts', 'x\n'.repeat(LINES_MAX + 1))).toHaveLength(1)
  expect(tooLong('a.ts', 'x'.repeat(COLUMNS_MAX + 1))).toHaveLength(1)
  expect(unfinished('a.ts', `// ${'TO'}DO later`)).toHaveLength(1)
})
