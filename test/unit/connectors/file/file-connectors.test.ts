import { appendFile, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SinkRecord, SinkTask, SourceRecord, SourceTask } from '@millrace/sdk'
import { parseConfigOrThrow, schemas, struct } from '@millrace/sdk'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LineSplitter } from '../../../../connectors/file/line-splitter.ts'
import sinkDefinition from '../../../../connectors/file/sink.ts'
import sourceDefinition from '../../../../connectors/file/source.ts'
import '../../property-settings.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

let folder: string
let file: string
const stops: (() => unknown)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-file-'))
  file = join(folder, 'data.txt')
})

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
  await rm(folder, { recursive: true, force: true })
})

async function startSource(position?: number, options: Record<string, string> = {}): Promise<SourceTask> {
  const raw = { file, topic: 't', ...options }
  const offset = position === undefined ? null : { position }
  const task = sourceDefinition.createTask(parseConfigOrThrow(sourceDefinition.config, raw), {
    connectorName: 'c',
    taskId: 0,
    logger,
    raw,
    offsets: { offset: async () => offset, offsets: async () => [offset] },
  })
  await task.start?.()
  stops.push(() => task.stop?.())
  return task
}

/** Polls until there are so many records. */
async function pollFor(task: SourceTask, count: number): Promise<SourceRecord[]> {
  const records: SourceRecord[] = []
  const signal = AbortSignal.timeout(10_000)
  while (records.length < count && !signal.aborted)
    records.push(...(((await task.poll(signal)) ?? []) as SourceRecord[]))
  return records
}

const values = (records: SourceRecord[]) => records.map((record) => record.value)
const positions = (records: SourceRecord[]) => records.map((record) => record.sourceOffset['position'])

describe('source', () => {
  test('publishes complete lines with the position of the byte after each', async () => {
    await writeFile(file, 'one\nzwölf\r\n漢\rlast\nunfinished')
    const records = await pollFor(await startSource(), 4)
    expect(values(records)).toEqual(['one', 'zwölf', '漢', 'last'])
    expect(positions(records)).toEqual([4, 12, 16, 21])
    expect(records[0]).toMatchObject({
      topic: 't',
      key: null,
      keySchema: null,
      valueSchema: schemas.string,
      sourcePartition: { filename: file },
    })
  })

  test('goes on behind the stored position, in bytes', async () => {
    await writeFile(file, 'äöü\nnext\n')
    expect(values(await pollFor(await startSource(7), 1))).toEqual(['next'])
  })

  test('waits for a file that does not exist, and follows what is appended', async () => {
    const task = await startSource()
    expect(await task.poll(AbortSignal.timeout(1))).toBeNull()
    await writeFile(file, 'a\nb')
    expect(values(await pollFor(task, 1))).toEqual(['a'])
    await appendFile(file, 'c\nd\n')
    expect(values(await pollFor(task, 2))).toEqual(['bc', 'd'])
  })

  test('reads a truncated or replaced file from its start', async () => {
    await writeFile(file, 'first\nsecond\n')
    const task = await startSource()
    await pollFor(task, 2)
    await writeFile(file, 'new\n')
    const afterCut = await pollFor(task, 1)
    expect([values(afterCut), positions(afterCut)]).toEqual([['new'], [4]])
    await writeFile(`${file}.next`, 'rotated, and longer than before\n')
    await rename(`${file}.next`, file)
    expect(values(await pollFor(task, 1))).toEqual(['rotated, and longer than before'])
  })

  test('gives at most batch.size records a poll', async () => {
    await writeFile(file, 'a\nb\nc\nd\ne\n')
    const task = await startSource(undefined, { 'batch.size': '2' })
    const sizes: number[] = []
    const signal = AbortSignal.timeout(10_000)
    while (sizes.reduce((sum, size) => sum + size, 0) < 5) sizes.push(((await task.poll(signal)) as unknown[]).length)
    expect(sizes).toEqual([2, 2, 1])
  })

  test('lines longer than a read chunk come whole', async () => {
    const long = 'x'.repeat(700_000)
    await writeFile(file, `${long}\nshort\n`)
    expect(values(await pollFor(await startSource(), 2))).toEqual([long, 'short'])
  })

  test('ends soon when the signal aborts', async () => {
    const task = await startSource()
    const abort = new AbortController()
    const poll = task.poll(abort.signal)
    abort.abort()
    expect(await poll).toBeNull()
  })

  test('a folder is refused by validate', async () => {
    const raw = { file: folder, topic: 't' }
    const issues = await sourceDefinition.validate?.(parseConfigOrThrow(sourceDefinition.config, raw), raw)
    expect(issues?.map((issue) => issue.key)).toEqual(['file'])
  })
})

test('any text in any pieces gives the same lines and positions as splitting it whole', () => {
  const text = fc.array(fc.constantFrom('a', 'é', '漢', '😀', '\n', '\r', '\r\n', 'word'), { maxLength: 40 })
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 9 }), { maxLength: 30 }), (parts, cuts) => {
      const bytes = Buffer.from(parts.join(''))
      const splitter = new LineSplitter(100)
      const found: [string, number][] = []
      let at = 0
      for (const size of [...cuts, bytes.length]) {
        const piece = bytes.subarray(at, at + size)
        piece.copy(splitter.space(piece.length))
        splitter.filled(piece.length)
        at = Math.min(bytes.length, at + size)
        splitter.take(1000, (line, end) => found.push([line, end]))
      }
      const expected: [string, number][] = []
      // A lone return at the very end may still be followed by its line feed.
      for (const match of parts.join('').matchAll(/([^\r\n]*)(\r\n|\n|\r(?=[^]))/g)) {
        const end = Buffer.byteLength(parts.join('').slice(0, match.index + match[0].length))
        expected.push([match[1] ?? '', 100 + end])
      }
      expect(found).toEqual(expected)
      expect(splitter.position).toBe(expected.at(-1)?.[1] ?? 100)
    }),
  )
})

test('long lines and many lines of any kind of text come as they are', () => {
  const lines = [
    'ascii',
    'x'.repeat(200_000),
    'é'.repeat(50_000),
    ...Array.from({ length: 5000 }, (_, i) => `line ${i} with enough text to fill several windows`),
    '',
    'ü',
    'y'.repeat(65_535),
    'z'.repeat(65_536),
    'last',
  ]
  const bytes = Buffer.from(`${lines.join('\n')}\n`)
  for (const size of [bytes.length, 100_000, 262_144]) {
    const splitter = new LineSplitter(0)
    const found: string[] = []
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size)
      piece.copy(splitter.space(size))
      splitter.filled(piece.length)
      splitter.take(Number.MAX_SAFE_INTEGER, (line) => found.push(line))
    }
    expect(found.length).toBe(lines.length)
    expect(found.every((line, index) => line === lines[index])).toBe(true)
    expect(splitter.position).toBe(bytes.length)
  }
})

describe('sink', () => {
  async function startSink(): Promise<SinkTask> {
    const config = parseConfigOrThrow(sinkDefinition.config, { file })
    const task = sinkDefinition.createTask(config, {} as never)
    await task.start?.()
    stops.push(() => task.stop?.())
    return task
  }

  function record(value: unknown, valueSchema: SinkRecord['valueSchema'] = null): SinkRecord {
    return { value, valueSchema } as SinkRecord
  }

  test('appends the string form of each value', async () => {
    const task = await startSink()
    const schema = struct({ a: schemas.int32, b: schemas.optional.string })
    await task.put([record('line'), record({ a: 1, b: 'x' }, schema), record({ a: 1 }), record(null), record(1.5)])
    await task.put([])
    const offsets = [{ topic: 't', partition: 0, offset: 5 }]
    expect(await task.preCommit?.(offsets)).toEqual(offsets)
    expect(await readFile(file, 'utf8')).toBe('line\nStruct{a=1,b=x}\n{a=1}\nnull\n1.5\n')
  })

  test('keeps what is there, and does not glue lines to a torn one', async () => {
    await writeFile(file, 'old\ntor')
    const task = await startSink()
    await task.put([record('new')])
    await task.stop?.()
    expect(await readFile(file, 'utf8')).toBe('old\ntor\nnew\n')
  })

  test('lines of any size are in the file in their order when their offsets may be committed', async () => {
    const task = await startSink()
    const lines = Array.from({ length: 40 }, (_, i) => `${i} ${(i % 3 === 0 ? 'ä€😀' : 'x').repeat(i ** 3)}`)
    for (let i = 0; i < lines.length; i += 3) void task.put(lines.slice(i, i + 3).map((line) => record(line)))
    await task.preCommit?.([])
    expect((await readFile(file, 'utf8')) === `${lines.join('\n')}\n`).toBe(true)
  })

  test('a sink that is faster than its disk waits for it', async () => {
    const task = await startSink()
    const line = 'x'.repeat(100_000)
    let waited = 0
    for (let i = 0; i < 100; i++) {
      const waiting = task.put([record(line)])
      if (!waiting) continue
      waited++
      await waiting
    }
    expect(waited).toBeGreaterThan(0)
    await task.preCommit?.([])
    expect((await stat(file)).size).toBe(100 * 100_001)
  })

  test.skipIf(process.platform !== 'linux')(
    'what could not be written is told, and nothing may be committed',
    async () => {
      const full = parseConfigOrThrow(sinkDefinition.config, { file: '/dev/full' })
      const task = sinkDefinition.createTask(full, {} as never)
      await task.start?.()
      stops.push(() => task.stop?.())
      await task.put([record('line')])
      const offsets = [{ topic: 't', partition: 0, offset: 1 }]
      await expect(async () => task.preCommit?.(offsets)).rejects.toThrow('ENOSPC')
      await expect(async () => task.put([record('line')])).rejects.toThrow('ENOSPC')
      await expect(async () => task.preCommit?.(offsets)).rejects.toThrow('ENOSPC')
    },
  )

  test('a missing folder is refused by validate', async () => {
    const raw = { file: join(folder, 'nowhere', 'x.txt') }
    const issues = await sinkDefinition.validate?.(parseConfigOrThrow(sinkDefinition.config, raw), raw)
    expect(issues?.[0]?.message).toContain('does not exist, create it')
  })
})
