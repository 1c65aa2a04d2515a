import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readLines } from '../src/lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'starling-'))
const file = join(folder, 'lines')
afterAll(() => rmSync(folder, { recursive: true }))

test('a line is read when it has ended, and the next one starts where it ended', async () => {
  writeFileSync(file, 'one\r\ntwö\nthr')
  const lines = await readLines(file, 0, 10)
  expect(lines).toEqual([
    { text: 'one', end: 5 },
    { text: 'twö', end: 10 },
  ])
  writeFileSync(file, 'ee\n', { flag: 'a' })
  expect(await readLines(file, 10, 10)).toEqual([{ text: 'three', end: 16 }])
})

test('no more lines are read than asked for, and none of a file that is not there', async () => {
  writeFileSync(file, 'one\ntwo\n')
  expect(await readLines(file, 0, 1)).toEqual([{ text: 'one', end: 4 }])
  expect(await readLines(join(folder, 'none'), 0, 1)).toEqual([])
})
