// Avro, Parquet, fixed widths and logs of web servers: what is read, where reading goes on, and what becomes of bad files.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  dateSchema,
  parseConfig,
  parseConfigOrThrow,
  type Schema,
  schemas,
  struct,
  timestampSchema,
} from '@millrace/sdk'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FileParts } from '../../../../connectors/_shared/file-source/file-parts.ts'
import { LocalFileSystem } from '../../../../connectors/_shared/file-source/index.ts'
import { avroFormat, parquetFormat, type WriteFormat } from '../../../../connectors/_shared/formats/index.ts'
import avroSource from '../../../../connectors/spooldir/avro-source.ts'
import elfSource from '../../../../connectors/spooldir/elf-source.ts'
import fixedWidthSource from '../../../../connectors/spooldir/fixed-width-source.ts'
import parquetSource from '../../../../connectors/spooldir/parquet-source.ts'
import { refusedSettings } from '../../../../connectors/spooldir/refused.ts'
import { sftpBinarySource } from '../../../../connectors/spooldir/sftp-sources.ts'
import { type AnySource, type Folders, makeFolders, namesIn, startTask, type Stored, values } from './file-tasks.ts'
import '../../property-settings.ts'

let folders: Folders
const put = (name: string, content: string | Uint8Array): Promise<void> => writeFile(join(folders.input, name), content)

beforeEach(async () => {
  folders = await makeFolders()
})
afterEach(() => folders.remove())

/** The same rows, whoever stops the task behind whichever of them. */
async function readWithStops(source: AnySource, options: Record<string, string>, stops: number): Promise<unknown[]> {
  const stored: Stored = new Map()
  const seen: unknown[] = []
  for (let round = 0; round <= stops; round++) {
    const { task, records, drain, commit } = await startTask(source, folders, { ...options, 'batch.size': '1' }, stored)
    seen.push(...values(round === stops ? await drain() : await records(1)))
    await commit()
    await task.stop?.()
  }
  return seen
}

async function expectBadFile(source: AnySource, options: Record<string, string>, message: RegExp): Promise<void> {
  const halting = await startTask(source, folders, options)
  await expect(halting.drain()).rejects.toThrow(message)
  await halting.task.stop?.()
  const going = await startTask(source, folders, { ...options, 'halt.on.error': 'false' })
  await going.drain()
  await going.commit()
  await going.drain()
  await going.task.stop?.()
  expect(await namesIn(folders.error)).toEqual(['bad'])
  expect(await namesIn(folders.input)).toEqual([])
}

const person: Schema = struct(
  {
    id: schemas.int64,
    name: schemas.optional.string,
    born: dateSchema({ optional: true }),
    seen: timestampSchema(),
  },
  { name: 'Person' },
)
const people = Array.from({ length: 12 }, (_, n) => ({
  id: BigInt(n),
  name: n % 3 === 0 ? null : `ü${n}`,
  born: new Date(Date.UTC(1970 + n, 0, 1)),
  seen: new Date(1_700_000_000_000 + n),
}))

/** A file of people in blocks of some of them, where the format has blocks. */
function fileOf(format: WriteFormat, block = 5): Buffer {
  const writer = format.create(person)
  const parts: Uint8Array[] = []
  people.forEach((value, index) => {
    writer.add(person, value)
    if (index % block === block - 1) parts.push(writer.take())
  })
  return Buffer.concat([...parts, writer.finish()])
}

describe.each([
  ['avro', avroSource, () => fileOf(avroFormat('null'))],
  ['avro with deflate', avroSource, () => fileOf(avroFormat('deflate'))],
  ['avro with snappy', avroSource, () => fileOf(avroFormat('snappy'))],
  ['parquet', parquetSource, () => fileOf(parquetFormat('snappy'))],
] as const)('%s', (_name, source, makeFile) => {
  test('values with the schema of the file', async () => {
    await put('people', makeFile())
    const { task, drain, commit } = await startTask(source, folders)
    const records = await drain()
    expect(values(records)).toEqual(people)
    expect(records[0]).toMatchObject({ key: null, keySchema: null, sourceOffset: { offset: 1 } })
    expect(records[0]?.valueSchema?.field('id')?.schema).toMatchObject({ type: 'INT64', optional: false })
    expect(records[0]?.valueSchema?.field('seen')?.schema.name).toBe('org.apache.kafka.connect.data.Timestamp')
    await commit()
    expect(await namesIn(folders.finished)).toEqual(['people'])
    await task.stop?.()
  })

  test('goes on behind any record at which it was stopped, by bytes of whatever size', async () => {
    await put('people', makeFile())
    expect(await readWithStops(source, { 'file.buffer.size.bytes': '7' }, people.length)).toEqual(people)
  })

  test('goes on from an offset of SpoolDir, which counts records only', async () => {
    await put('people', makeFile())
    const { task, drain } = await startTask(source, folders, {}, new Map([['people', { offset: 7 }]]))
    expect(values(await drain())).toEqual(people.slice(7))
    await task.stop?.()
  })

  test('a file that is damaged or cut off goes to error.path', async () => {
    await put('bad', makeFile().subarray(0, -20))
    await expectBadFile(source, {}, /bad, behind record \d+: /)
  })

  test('a file of another format goes to error.path', async () => {
    await put('bad', 'id,name\n1,a\n')
    await expectBadFile(source, {}, /bad, behind record 0: /)
  })

  test('a file that is compressed as a whole is refused with the reason', async () => {
    await put('people.gz', makeFile())
    const { task, drain } = await startTask(source, folders)
    await expect(drain()).rejects.toThrow('files of this format are compressed within')
    await task.stop?.()
  })
})

test('parts of a file are what is there, in whatever order they are asked for', async () => {
  const content = Buffer.from(Array.from({ length: 4000 }, (_, n) => n % 251))
  await put('parts', content)
  const part = fc.tuple(fc.nat(content.length), fc.nat(content.length)).map((pair) => pair.toSorted((a, b) => a - b))
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), fc.integer({ min: 1, max: 900 }), async (wanted, chunk) => {
      const parts = new FileParts(new LocalFileSystem(chunk), join(folders.input, 'parts'), content.length)
      const found = await Promise.all(wanted.map(([start, end]) => parts.read(start as number, end as number)))
      await parts.close()
      expect(found.map((bytes) => Buffer.from(bytes))).toEqual(
        wanted.map(([start, end]) => content.subarray(start, end)),
      )
    }),
    { numRuns: 60 },
  )
})

describe('fixed width', () => {
  const LENGTHS = { 'fixed.field.lengths': '4,8,6' }
  const INFER = { ...LENGTHS, 'schema.generation.enabled': 'true' }
  const WIDTHS = [4, 8, 6]
  const line = (...cells: readonly string[]): string =>
    cells.map((cell, at) => cell + ' '.repeat(Math.max(0, (WIDTHS[at] ?? 0) - Array.from(cell).length))).join('')

  test.each([
    ['names of the configuration', { 'fixed.field.names': 'id,name,city' }, ['id', 'name', 'city'], ''],
    [
      'names of a header',
      { 'fixed.first.row.as.header': 'true' },
      ['id', 'name', 'city'],
      `${line('id', 'name', 'city')}\n`,
    ],
    ['numbers', {}, ['column01', 'column02', 'column03'], ''],
  ])('inferred schemas with %s', async (_name, options, names, header) => {
    await put('a.txt', `${header}${line('1', 'Jörg 😀x', 'Köln')}\r\n\n${line('2', '', 'Bonn')}`)
    const { task, drain, commit } = await startTask(fixedWidthSource, folders, { ...INFER, ...options })
    const records = await drain()
    expect(records.map(({ value }) => Object.entries(value as object))).toEqual([
      names.map((name, at) => [name, ['1', 'Jörg 😀x', 'Köln'][at]]),
      names.map((name, at) => [name, ['2', '', 'Bonn'][at]]),
    ])
    expect(records[0]?.valueSchema?.fields[0]?.schema).toMatchObject({ type: 'STRING', optional: true })
    await commit()
    expect(await namesIn(folders.finished)).toEqual(['a.txt'])
    await task.stop?.()
  })

  const typed = {
    ...LENGTHS,
    'fixed.padding.char': '48',
    'fixed.empty.is.null': 'true',
    'value.schema': JSON.stringify({
      type: 'STRUCT',
      fieldSchemas: {
        id: { type: 'INT64' },
        name: { type: 'STRING', isOptional: true },
        count: { type: 'INT32', isOptional: true },
      },
    }),
    'key.schema': JSON.stringify({ type: 'STRUCT', fieldSchemas: { id: { type: 'INT64' } } }),
  }

  test('a given schema, cells that are filled up on the left, lines that end early', async () => {
    await put('a.txt', '00170000name000003\n00180000\n')
    const { task, drain } = await startTask(fixedWidthSource, folders, typed)
    const records = await drain()
    expect(values(records)).toEqual([
      { id: 17n, name: 'name', count: 3 },
      { id: 18n, name: null, count: null },
    ])
    expect(records[1]?.key).toEqual({ id: 18n })
    await task.stop?.()
  })

  test('goes on behind any record at which it was stopped', async () => {
    const rows = Array.from({ length: 8 }, (_, n) => ({ id: String(n), name: `ä${n}`, city: 'Köln' }))
    await put('a.txt', rows.map(({ id, name, city }) => `${line(id, name, city)}\n`).join(''))
    const options = { ...INFER, 'fixed.field.names': 'id,name,city' }
    expect(await readWithStops(fixedWidthSource, options, rows.length)).toEqual(rows)
  })

  test('a cell that is not of its type sends the file to error.path', async () => {
    await put('bad', '00170000name0000x3\n')
    await expectBadFile(fixedWidthSource, typed, /the column count is not an integer/)
  })

  test('widths and names that cannot be are refused by name', async () => {
    const raw = {
      topic: 't',
      'input.path': folders.input,
      'finished.path': folders.finished,
      'error.path': folders.error,
      'input.file.pattern': '.*',
      ...INFER,
    }
    const issues = async (options: Record<string, string>) => {
      const given = { ...raw, ...options }
      const { issues: found } = parseConfig(fixedWidthSource.config, given)
      if (found.length > 0) return found.map(({ key }) => key)
      const parsed = parseConfigOrThrow(fixedWidthSource.config, given)
      return ((await fixedWidthSource.validate?.(parsed, given)) ?? []).map(({ key }) => key)
    }
    expect(await issues({ 'fixed.field.names': 'a,b,c' })).toEqual([])
    expect(await issues({ 'fixed.field.lengths': '4,x' })).toEqual(['fixed.field.lengths'])
    expect(await issues({ 'fixed.field.names': 'a,b' })).toEqual(['fixed.field.names'])
    expect(await issues({ 'fixed.field.names': 'a,b,c', 'fixed.first.row.as.header': 'true' })).toEqual([
      'fixed.field.names',
    ])
  })
})

describe('extended log format', () => {
  const HEAD =
    '#Version: 1.0\n#Date: 2024-01-01\n#Fields: date time cs-method cs(User-Agent) sc-status time-taken x-note\n'

  test('typed fields by their names, the first entry too, a moment of date and time', async () => {
    await put('a.log', `${HEAD}2024-06-01 12:30:01 GET "a ""b"" c" 200 15 -\n#Remark: x\n2024-06-01 12:30:02 - - 404\n`)
    const { task, drain } = await startTask(elfSource, folders)
    const records = await drain()
    expect(values(records)).toEqual([
      {
        date: new Date('2024-06-01T00:00:00Z'),
        time: 45_001_000,
        cs_method: 'GET',
        cs_user_agent: 'a "b" c',
        sc_status: 200n,
        time_taken: 15n,
        x_note: null,
        datetime: new Date('2024-06-01T12:30:01Z'),
      },
      {
        date: new Date('2024-06-01T00:00:00Z'),
        time: 45_002_000,
        cs_method: null,
        cs_user_agent: null,
        sc_status: 404n,
        time_taken: null,
        x_note: null,
        datetime: new Date('2024-06-01T12:30:02Z'),
      },
    ])
    const schema = records[0]?.valueSchema
    expect(schema?.name).toBe('com.github.jcustenborder.kafka.connect.spooldir.LogEntry')
    expect(schema?.field('cs_user_agent')?.schema).toMatchObject({
      type: 'STRING',
      optional: true,
      parameters: { logField: 'cs(User-Agent)' },
    })
    await task.stop?.()
  })

  test('goes on behind any record at which it was stopped', async () => {
    await put('a.log', `#Fields: n x\n${Array.from({ length: 7 }, (_, n) => `${n} ü\n`).join('')}`)
    const rows = Array.from({ length: 7 }, (_, n) => ({ n: String(n), x: 'ü' }))
    expect(await readWithStops(elfSource, {}, rows.length)).toEqual(rows)
  })

  test.each([
    ['1 2\n', /before a line #Fields/],
    ['#Fields: a b\n1 2 3\n', /more values than the 2 fields/],
    ['#Fields: a b\n1 2\n#Fields: a c\n1 2\n', /behind record 1: the fields change within the file/],
    ['#Fields: sc-status\nok\n', /the field sc_status is not an integer/],
    ['#Fields: a-b a_b\n1 2\n', /names a field twice/],
  ])('%j goes to error.path', async (content, message) => {
    await put('bad', content)
    await expectBadFile(elfSource, {}, message)
  })

  test('a file that repeats its fields, as servers do when they start again, is one file', async () => {
    await put('a.log', '#Fields: a b\n1 2\n#Fields: a b\n3 4\n')
    const { task, drain } = await startTask(elfSource, folders)
    expect(values(await drain())).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ])
    await task.stop?.()
  })
})

describe("Confluent's SFTP connectors", () => {
  const given = {
    'kafka.topic': 'orders',
    'sftp.host': 'files.example.com',
    'input.path': '/in',
    'error.path': '/error',
    'input.file.pattern': '.*',
  }

  test('have the names and defaults of their options', () => {
    expect(parseConfigOrThrow(sftpBinarySource.config, given)).toMatchObject({
      topic: 'orders',
      'file.system': 'sftp',
      'empty.poll.wait.ms': 250,
      'behavior.on.error': 'FAIL',
      'cleanup.policy': 'MOVE',
    })
    expect(parseConfig(sftpBinarySource.config, { ...given, 'file.system': 'local' }).issues).toMatchObject([
      { key: 'file.system' },
    ])
  })

  test('refuse what they cannot do by name, without values', () => {
    const raw = { 'sftp.proxy.password': 'secret-1', 'sftp.max.record.size': '10', 'kerberos.keytab.path': '' }
    const issues = refusedSettings(raw)
    expect(issues.map(({ key }) => key).toSorted()).toEqual(['sftp.max.record.size', 'sftp.proxy.password'])
    expect(JSON.stringify(issues)).not.toContain('secret-1')
    expect(refusedSettings({ 'sftp.max.record.size': '0' })).toEqual([])
  })
})
