// stream-reactor's FTP source over files of a disk: what is published of a file that changes, and where reading goes on.
import { appendFile, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig, parseConfigOrThrow, type SourceOffset, type SourceRecord } from '@millrace/sdk'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LocalFileSystem } from '../../../../connectors/_shared/file-source/index.ts'
import { durationMs, ftpConfig, ftpProblems, monitorsOf } from '../../../../connectors/spooldir/ftp-config.ts'
import ftpSource from '../../../../connectors/spooldir/ftp-source.ts'
import { FtpSourceTask } from '../../../../connectors/spooldir/ftp-task.ts'
import '../../property-settings.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-ftp-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const BASE = {
  'connect.ftp.address': 'localhost:2121',
  'connect.ftp.user': 'u',
  'connect.ftp.password': 'p',
  'connect.ftp.refresh': 'PT0S',
  'connect.ftp.file.maxage': 'P3650D',
}
type Stored = Map<string, SourceOffset>

function start(options: Record<string, string>, stored: Stored = new Map()) {
  const config = parseConfigOrThrow(ftpConfig, { ...BASE, ...options })
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  const task = new FtpSourceTask(
    { config, monitors: monitorsOf(config), connect: async () => new LocalFileSystem(5) },
    {
      connectorName: 'ftp',
      taskId: 0,
      raw: {},
      logger: silent,
      offsets: {
        offset: async ({ path }) => stored.get(String(path)) ?? null,
        offsets: async (partitions) => partitions.map(({ path }) => stored.get(String(path)) ?? null),
      },
    },
  )
  return {
    task,
    /** What one look at the server gives; stores the offsets of the first records alone. */
    async look(committed = Number.POSITIVE_INFINITY): Promise<SourceRecord[]> {
      const records = ((await task.poll(new AbortController().signal)) ?? []) as SourceRecord[]
      for (const { sourcePartition, sourceOffset } of records.slice(0, committed)) {
        stored.set(String(sourcePartition['path']), sourceOffset)
      }
      return records
    },
  }
}

const texts = (records: readonly SourceRecord[]): string[] => records.map(({ value }) => String(value))
let clock = 1_700_000_000
/** Writes a file with a time of its own, so that each change is one. */
async function put(name: string, text: string, append = false): Promise<void> {
  const path = join(folder, name)
  await (append ? appendFile(path, text) : writeFile(path, text))
  await utimes(path, clock, clock++)
}

test('a file that changes is published as a whole', async () => {
  const { look } = start({ 'connect.ftp.monitor.update': `${folder}/*.csv:rows` })
  await put('a.csv', 'one')
  await put('b.txt', 'other')
  const [record, ...more] = await look()
  expect(more).toEqual([])
  const path = join(folder, 'a.csv')
  expect(record).toMatchObject({ topic: 'rows', key: path, sourcePartition: { path } })
  expect(record?.sourceOffset).toMatchObject({ offset: 3, size: 3 })
  expect(await look()).toEqual([])
  await put('a.csv', ' two', true)
  expect(texts(await look())).toEqual(['one two'])
})

test('of a file that grows what was appended is published, of one that starts otherwise all', async () => {
  const options = { 'connect.ftp.monitor.tail': `${folder}/:lines`, 'connect.ftp.keystyle': 'struct' }
  const { look } = start(options)
  await put('a.log', 'one\n')
  const [first] = await look()
  expect(first?.key).toEqual({ name: join(folder, 'a.log'), offset: 0n })
  await put('a.log', 'two\n', true)
  const [second] = await look()
  expect([String(second?.value), second?.key]).toEqual(['two\n', { name: join(folder, 'a.log'), offset: 4n }])
  await put('a.log', 'ONE\ntwo\nthree\n')
  expect(texts(await look())).toEqual(['ONE\ntwo\nthree\n'])
  await put('a.log', 'x')
  expect(texts(await look())).toEqual(['x'])
  expect(await look()).toEqual([])
})

test('files that were last changed too long ago, and those that the filter leaves out, are left alone', async () => {
  await put('old.csv', 'old')
  await writeFile(join(folder, 'new.csv'), 'new')
  await writeFile(join(folder, 'new.txt'), 'text')
  const { look } = start({
    'connect.ftp.monitor.update': `${folder}:t`,
    'connect.ftp.file.maxage': 'P1D',
    'connect.ftp.filter': '.*\\.csv',
  })
  expect(texts(await look())).toEqual(['new'])
})

test('slices are followed by the next one, whichever of them was the last that the log has', async () => {
  await put('a.bin', 'abcdefghij')
  const path = join(folder, 'a.bin')
  for (const mode of ['tail', 'update']) {
    const options = { [`connect.ftp.monitor.${mode}`]: `${path}:t`, 'connect.ftp.monitor.slicesize': '3' }
    for (let committed = 1; committed <= 4; committed++) {
      const stored: Stored = new Map()
      expect(texts(await start(options, stored).look(committed))).toEqual(['abc', 'def', 'ghi', 'j'])
      expect(texts(await start(options, stored).look())).toEqual(['abc', 'def', 'ghi', 'j'].slice(committed))
    }
  }
})

test('no more records at a time than were asked for', async () => {
  for (const name of ['a', 'b', 'c']) await put(name, name)
  const { look } = start({ 'connect.ftp.monitor.update': `${folder}:t`, 'connect.ftp.max.poll.records': '2' })
  expect([texts(await look()), texts(await look()), texts(await look())]).toEqual([['a', 'b'], ['c'], []])
})

test('what is appended in any steps arrives once, through any restarts', async () => {
  const step = fc.record({ text: fc.string({ minLength: 1, maxLength: 12 }), restart: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 6 }), fc.integer({ min: 1, max: 7 }), async (steps, slice) => {
      await rm(join(folder, 'log'), { force: true })
      const stored: Stored = new Map()
      const options = {
        'connect.ftp.monitor.tail': `${folder}/log*:t`,
        'connect.ftp.monitor.slicesize': String(slice),
      }
      let running = start(options, stored)
      const found: Buffer[] = []
      for (const { text, restart } of steps) {
        await put('log', text, true)
        if (restart) running = start(options, stored)
        found.push(...(await running.look()).map(({ value }) => value as Buffer))
      }
      expect(Buffer.concat(found).toString()).toBe(steps.map(({ text }) => text).join(''))
    }),
    { numRuns: 40 },
  )
})

describe('configurations', () => {
  const raw = { ...BASE, 'connect.ftp.monitor.tail': '/logs/:logs' }
  const issues = (options: Record<string, string>): string[] => {
    const given = { ...raw, ...options }
    const { issues: found } = parseConfig(ftpConfig, given)
    const all = found.length > 0 ? found : ftpProblems(parseConfigOrThrow(ftpConfig, given), given)
    return all.map(({ key }) => key)
  }

  test.each([
    ['PT1M30S', 90_000],
    ['P1DT2H', 93_600_000],
    ['PT0.5S', 500],
    ['p14d', 1_209_600_000],
    ['P', undefined],
    ['PT', undefined],
    ['1m', undefined],
  ])('%s is a duration or not', (text, ms) => {
    expect(durationMs(text)).toBe(ms)
  })

  test('that cannot be are refused by name', () => {
    expect(issues({})).toEqual([])
    expect(issues({ 'connect.ftp.monitor.tail': '' })).toEqual(['connect.ftp.monitor.tail'])
    expect(issues({ 'connect.ftp.monitor.update': '/logs' })).toEqual(['connect.ftp.monitor.update'])
    expect(issues({ 'connect.ftp.monitor.update': '/logs/:other' })).toEqual(['connect.ftp.monitor.update'])
    expect(issues({ 'connect.ftp.refresh': '1 minute' })).toEqual(['connect.ftp.refresh'])
    expect(issues({ 'connect.ftp.fileconverter': 'com.example.Unzip' })).toEqual(['connect.ftp.fileconverter'])
    expect(
      issues({
        'connect.ftp.sourcerecordconverter': 'com.example.NopSourceRecordConverter',
        'connect.ftp.fileconverter': 'com.example.SimpleFileConverter',
      }),
    ).toEqual([])
  })

  test('paths are shared among tasks, no more than there are', async () => {
    const config = parseConfigOrThrow(ftpConfig, { ...raw, 'connect.ftp.monitor.update': '/a:a,/b:b' })
    const tasks = await ftpSource.taskConfigs(config, 2, raw, {} as never)
    expect(tasks.map((task) => task['millrace.task.monitors'])).toEqual(['0/2', '1/2'])
    expect(await ftpSource.taskConfigs(config, 9, raw, {} as never)).toHaveLength(3)
  })
})
