import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Files } from '../src/files.ts'

const folder = mkdtempSync(join(tmpdir(), 'starling-'))
const files = new Files(folder, '.json')
afterAll(() => rmSync(folder, { recursive: true }))

test('the last text of a file is what is there, and nothing else is', async () => {
  await files.write('a.json', 'one')
  await files.write('a.json', 'two')
  expect(readdirSync(folder)).toEqual(['a.json'])
  expect(readFileSync(join(folder, 'a.json'), 'utf8')).toBe('two')
  await files.remove('a.json')
  await files.remove('a.json')
  expect(readdirSync(folder)).toEqual([])
})

test.each(['..', '/etc/passwd', 'a/../b', '.new'])('the file of the key %s is in the folder', (key) => {
  expect(files.nameOf(key)).toMatch(/^[^./]+\.json$/)
})

test.each(['', 'x'.repeat(300)])('no file is named after the key "%s"', (key) => {
  expect(files.nameOf(key)).toBeUndefined()
})
