import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { realClock, realDisk } from '../../../../src/base/real/index.ts'
import { createFileLog } from '../../../../src/connect/stores/file-log.ts'
import { createOffsetStore } from '../../../../src/connect/stores/offset-log-store.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-offsets-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const open = async () => {
  const store = createOffsetStore(createFileLog({ path: join(folder, 'offsets'), disk: realDisk, clock: realClock }))
  await store.start()
  return store
}
const key = (name: string) => Buffer.from(`["${name}",{"file":"f"}]`)

test('offsets survive a restart, and a forgotten one is gone', async () => {
  const store = await open()
  await store.set([
    { key: key('a'), value: Buffer.from('{"position":1}') },
    { key: key('b'), value: Buffer.from('{"position":2}') },
  ])
  await store.set([{ key: key('b'), value: null }])
  const again = await open()
  expect((await again.get([key('b'), key('a')])).map((value) => value?.toString())).toEqual([
    undefined,
    '{"position":1}',
  ])
})

test('the file is one JSON object of texts', async () => {
  const store = await open()
  await store.set([{ key: key('a'), value: Buffer.from('{"position":1}') }])
  expect(JSON.parse(readFileSync(join(folder, 'offsets'), 'utf8'))).toEqual({ '["a",{"file":"f"}]': '{"position":1}' })
})

test.each(['\u00ac\u00ed\u0000\u0005sr', '[1]'])('a file that holds something else is refused: %s', async (content) => {
  writeFileSync(join(folder, 'offsets'), content)
  await expect(open()).rejects.toThrow('offsets')
})
