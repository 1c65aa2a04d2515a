import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { realDisk } from '../../../../src/base/real/index.ts'
import { MetadataStore, readMetadataFile, type StoredMetadata } from '../../../../src/broker/topics/metadata-file.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-metadata-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const EMPTY: StoredMetadata = {
  leaderEpoch: 1,
  nextProducerId: 0,
  brokerConfigs: {},
  defaultBrokerConfigs: {},
  topics: {},
  deletedTopicIds: [],
}
const topic = (id: string, configs = {}) => ({ id, partitions: 1, configs })
const journal = () => join(directory, 'millrace-metadata.journal')
const read = () => readMetadataFile(realDisk, directory)?.stored
const unwanted = (): StoredMetadata => {
  throw new Error('everything was asked for')
}

function started(): MetadataStore {
  const store = new MetadataStore(realDisk, directory, readMetadataFile(realDisk, directory))
  store.replace(read() ?? EMPTY)
  return store
}

test('changes are read back in their order, each over those before it', () => {
  expect(read()).toBeUndefined()
  const store = started()
  store.change({ topics: { a: topic('1'), b: topic('2'), ['__proto__']: topic('3') } }, unwanted)
  store.change({ topics: { a: null }, deletedTopicIds: ['1'] }, unwanted)
  store.change({ topics: { a: topic('4', { 'retention.ms': '5' }) }, nextProducerId: 1000 }, unwanted)
  store.change({ brokerConfigs: { x: '1' }, defaultBrokerConfigs: { y: 'ü' } }, unwanted)
  const { topics, ...others } = read()!
  expect(others).toEqual({
    leaderEpoch: 1,
    nextProducerId: 1000,
    brokerConfigs: { x: '1' },
    defaultBrokerConfigs: { y: 'ü' },
    deletedTopicIds: ['1'],
  })
  expect(new Map(Object.entries(topics))).toEqual(
    new Map([
      ['b', topic('2')],
      ['__proto__', topic('3')],
      ['a', topic('4', { 'retention.ms': '5' })],
    ]),
  )
})

test('a crash in the middle of a change leaves what was before it, wherever it was cut', () => {
  const store = started()
  store.change({ topics: { a: topic('1') } }, unwanted)
  const whole = readFileSync(journal())
  store.change({ topics: { b: topic('2') } }, unwanted)
  const longer = readFileSync(journal())
  for (let length = 0; length < longer.length - 1; length++) {
    writeFileSync(journal(), longer.subarray(0, length))
    expect(Object.keys(read()!.topics)).toEqual(length < whole.length - 1 ? [] : ['a'])
  }
})

test('damage before the last line is refused with the line and what to do', () => {
  const store = started()
  for (const name of ['a', 'b', 'c']) store.change({ topics: { [name]: topic(name) } }, unwanted)
  const lines = readFileSync(journal(), 'utf8').split('\n')
  writeFileSync(journal(), [lines[0], lines[1]!.replace('"b"', '"x"'), lines[2], ''].join('\n'))
  expect(read).toThrow(/millrace-metadata.journal is damaged in line 2; restore it/)
})

test('what an older journal says does not count once the file was written anew', () => {
  const store = started()
  store.change({ topics: { a: topic('1') } }, unwanted)
  const older = readFileSync(journal())
  store.replace({ ...EMPTY, topics: { b: topic('2') } })
  // A crash between the two writes leaves the old lines.
  writeFileSync(journal(), older)
  expect(Object.keys(read()!.topics)).toEqual(['b'])
  // New lines are written over them; what is left of the old ones follows.
  const long = started()
  long.change({ topics: { c: topic('3') } }, unwanted)
  writeFileSync(journal(), Buffer.concat([readFileSync(journal()), older]))
  expect(Object.keys(read()!.topics)).toEqual(['b', 'c'])
})

test('a long journal is folded into the file, so that a start does not read the whole past', () => {
  const store = started()
  let stored = EMPTY
  for (let i = 0; i < 200; i++) {
    stored = { ...stored, topics: { a: topic(String(i), { 'retention.ms': '9'.repeat(1000) }) } }
    store.change({ topics: stored.topics }, () => stored)
    expect(realDisk.stat(journal()).size).toBeLessThan(70_000)
  }
  expect(read()).toEqual(stored)
})

test('a file of the first version is read; one of a later version, or that is no JSON, is not', () => {
  const file = join(directory, 'millrace-metadata.json')
  writeFileSync(
    file,
    JSON.stringify({ version: 1, leaderEpoch: 3, topics: { a: topic('1') }, brokerConfigs: { x: '1' } }),
  )
  expect(read()).toEqual({ ...EMPTY, leaderEpoch: 3, topics: { a: topic('1') }, brokerConfigs: { x: '1' } })
  started().change({ nextProducerId: 7 }, unwanted)
  expect(read()).toMatchObject({ leaderEpoch: 3, nextProducerId: 7 })
  writeFileSync(file, JSON.stringify({ version: 3, topics: {} }))
  expect(read).toThrow(/is of version 3; this broker reads up to 2/)
  writeFileSync(file, '{')
  expect(read).toThrow(/is not JSON; restore it/)
})
