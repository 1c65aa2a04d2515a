import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfigOrThrow, type SinkRecord, type SinkTask, schemas, struct } from '@millrace/sdk'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decompressed } from '../../../../connectors/_shared/file-source/compression.ts'
import { LocalFileSystem } from '../../../../connectors/_shared/file-source/index.ts'
import sink from '../../../../connectors/spooldir/sink.ts'
import { seededRandom } from '../../../../src/base/index.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const PARTITION = { topic: 'orders', partition: 0 }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-files-sink-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function start(options: Record<string, string> = {}, reported: SinkRecord[] | null = null): SinkTask {
  const raw = { 'output.path': folder, ...options }
  const task = sink.createTask(parseConfigOrThrow(sink.config, raw), {
    connectorName: 'files',
    taskId: 0,
    raw,
    logger,
    errantRecordReporter: reported && { report: async (record) => void reported.push(record) },
    assignment: () => [PARTITION],
    offset: () => {},
    timeout: () => {},
    pause: () => {},
    resume: () => {},
    requestCommit: () => {},
  })
  void task.open?.([PARTITION])
  return task
}

const record = (offset: number, value: unknown = { id: offset }, valueSchema: SinkRecord['valueSchema'] = null) =>
  ({
    ...PARTITION,
    originalTopic: PARTITION.topic,
    originalPartition: 0,
    originalOffset: offset,
    offset,
    key: null,
    keySchema: null,
    value,
    valueSchema,
    headers: [],
    timestamp: 0,
    timestampType: 'CreateTime',
  }) as SinkRecord

const records = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => record(from + index))
const names = async () => (await readdir(folder)).toSorted((a, b) => (a < b ? -1 : 1))
const visible = async () => (await names()).filter((name) => !name.startsWith('.'))
const committed = async (task: SinkTask, offset: number) =>
  (await task.preCommit?.([{ ...PARTITION, offset }]))?.[0]?.offset

test('a file for each flush.size records, with their offsets in its name; offsets are those of complete files', async () => {
  const task = start({ 'flush.size': '3' })
  await task.put(records(10, 17))
  expect(await visible()).toEqual([
    'orders+0+00000000000000000010+00000000000000000012.json',
    'orders+0+00000000000000000013+00000000000000000015.json',
  ])
  expect(await readFile(join(folder, (await visible())[1] as string), 'utf8')).toBe('{"id":13}\n{"id":14}\n{"id":15}\n')
  expect(await committed(task, 17)).toBe(16)
  await task.put(records(17, 19))
  expect(await committed(task, 19)).toBe(19)
  await task.stop?.()
})

test('a file that waits too long for records is completed with those that it has', async () => {
  const task = start({ 'rotate.interval.ms': '0' })
  await task.put(records(0, 2))
  expect(await visible()).toEqual([])
  expect(await committed(task, 2)).toBe(2)
  expect(await visible()).toHaveLength(1)
  await task.stop?.()
})

test.each([
  ['gzip', '.gz'],
  ['zstd', '.zst'],
] as const)('CSV, compressed by %s in pieces', async (compression, ending) => {
  const schema = struct({ id: schemas.int32, name: schemas.optional.string })
  const options = { 'output.format': 'csv', 'output.compression': compression, 'csv.separator.char': '59' }
  const task = start({ ...options, 'flush.size': '3', 'file.buffer.size.bytes': '1' })
  for (const [index, name] of ['a;b', null, 'ü"'].entries())
    await task.put([record(index, { id: index, name }, schema)])
  const [file = ''] = await visible()
  expect(file.endsWith(`.csv${ending}`)).toBe(true)
  const opened = await new LocalFileSystem(64).open(join(folder, file), 0)
  const content = decompressed(file, opened, 0)
  let text = ''
  for (let chunk = await content.next(); chunk !== null; chunk = await content.next()) text += chunk.toString('latin1')
  await content.close()
  expect(Buffer.from(text, 'latin1').toString()).toBe('id;name\n0;"a;b"\n1;\n2;"ü"""\n')
  await task.stop?.()
})

describe('records without a value', () => {
  test('fail the task', async () => {
    const task = start()
    await expect(task.put([record(0, null)])).rejects.toThrow(/behavior\.on\.null\.values=ignore/)
    await task.stop?.()
  })

  test('are reported, or left out', async () => {
    const reported: SinkRecord[] = []
    const reporting = start({ 'flush.size': '2' }, reported)
    await reporting.put([record(0), record(1, null), record(2)])
    expect(reported.map(({ offset }) => offset)).toEqual([1])
    await reporting.stop?.()
    const ignoring = start({ 'behavior.on.null.values': 'ignore' })
    await ignoring.put([record(3, null)])
    expect(await committed(ignoring, 4)).toBe(4)
    await ignoring.stop?.()
    expect(await visible()).toEqual(['orders+0+00000000000000000000+00000000000000000002.json'])
  })
})

test.each([1, 2, 3, 4, 5, 6, 7, 8])('whatever crashes, each record is in one file: seed %i', async (seed) => {
  const random = seededRandom(seed)
  const total = 400
  let durable = 0
  let task = start({ 'flush.size': '17', 'file.buffer.size.bytes': '100' })
  await writeFile(join(folder, 'of-somebody-else.txt'), '')
  for (let position = 0; durable < total; ) {
    const size = 1 + Math.floor(random.next() * 30)
    const options = {
      'flush.size': String(5 + Math.floor(random.next() * 20)),
      'file.buffer.size.bytes': random.next() < 0.5 ? '100' : '100000',
      'rotate.interval.ms': '0',
    }
    await task.put(records(position, Math.min(position + size, total)))
    position = Math.min(position + size, total)
    if (random.next() < 0.5 || position === total) durable = (await committed(task, position)) ?? durable
    if (random.next() < 0.3) {
      // A crash: nothing is closed, and reading goes on at what was committed.
      if (random.next() < 0.5) await task.stop?.()
      task = start(options)
      position = durable
    }
  }
  await task.stop?.()
  const found: number[] = []
  for (const name of (await visible()).filter((each) => each.startsWith('orders'))) {
    const lines = (await readFile(join(folder, name), 'utf8')).trim().split('\n')
    found.push(...lines.map((line) => (JSON.parse(line) as { id: number }).id))
  }
  expect(found).toEqual(Array.from({ length: total }, (_, id) => id))
  expect((await names()).filter((name) => name.startsWith('.'))).toEqual([])
})

test('validation looks whether the folder can be written to', async () => {
  const check = (path: string) => {
    const raw = { 'output.path': path }
    return sink.validate?.(parseConfigOrThrow(sink.config, raw), raw)
  }
  expect(await check(folder)).toEqual([])
  expect((await check(join(folder, 'none')))?.map(({ key }) => key)).toEqual(['output.path'])
})
