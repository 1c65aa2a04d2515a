import { appendFile, mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { logicalNames, parseConfigOrThrow, type SourceRecord } from '@millrace/sdk'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import binarySource from '../../../../connectors/spooldir/binary-source.ts'
import csvSource from '../../../../connectors/spooldir/csv-source.ts'
import jsonSource from '../../../../connectors/spooldir/json-source.ts'
import linesSource from '../../../../connectors/spooldir/lines-source.ts'
import schemalessSource from '../../../../connectors/spooldir/schemaless-json-source.ts'
import jsonConverter from '../../../../src/connect/converters/json/json-converter.ts'
import { type Folders, makeFolders, namesIn, startTask, type Stored, values } from './file-tasks.ts'
import '../../property-settings.ts'

const INFER = { 'schema.generation.enabled': 'true', 'csv.first.row.as.header': 'true' }

let folders: Folders
const put = (name: string, content: string | Uint8Array): Promise<void> => writeFile(join(folders.input, name), content)

beforeEach(async () => {
  folders = await makeFolders()
})
afterEach(() => folders.remove())

describe('csv', () => {
  test('rows with inferred schemas; the file moves when its last record is committed, not before', async () => {
    await put('a.csv', 'id,name\n1,zwölf\n2,"a, b"\n')
    const { task, drain, commit } = await startTask(csvSource, folders, {
      ...INFER,
      'schema.generation.key.fields': 'id',
    })
    const records = await drain()
    expect(values(records)).toEqual([
      { id: '1', name: 'zwölf' },
      { id: '2', name: 'a, b' },
    ])
    expect(records[1]).toMatchObject({ topic: 't', key: { id: '2' }, sourcePartition: { fileName: 'a.csv' } })
    expect(records[1]?.sourceOffset).toMatchObject({ offset: 2, position: 26, length: 26 })
    expect(records[0]?.valueSchema?.field('name')?.schema).toMatchObject({ type: 'STRING', optional: true })
    expect(await namesIn(folders.input)).toEqual(['a.csv', 'a.csv.PROCESSING'])
    await commit()
    expect(await namesIn(folders.input)).toEqual([])
    expect(await namesIn(folders.finished)).toEqual(['a.csv'])
    await task.stop?.()
  })

  test('a stop and start at every record gives every row once', async () => {
    const rows = Array.from({ length: 9 }, (_, row) => `${row},"ü\n${'x'.repeat(row)}"`)
    await put('a.csv', `id,text\r\n${rows.join('\r\n')}\r\n`)
    const stored: Stored = new Map()
    const seen: unknown[] = []
    for (let round = 0; round < rows.length; round++) {
      const { task, records, commit } = await startTask(csvSource, folders, { ...INFER, 'batch.size': '1' }, stored)
      seen.push(...values(await records(1)).map((value) => (value as { id: string }).id))
      await commit()
      await task.stop?.()
    }
    expect(seen).toEqual(rows.map((_, index) => String(index)))
  })

  test.each([
    ['gz', gzipSync],
    ['zst', zstdCompressSync],
  ])('a compressed file (.%s) goes on where it was', async (ending, compress) => {
    await put(`a.csv.${ending}`, compress(Buffer.from('id\n1\n2\n3\n4\n')))
    const stored: Stored = new Map()
    const first = await startTask(csvSource, folders, { ...INFER, 'batch.size': '2' }, stored)
    expect(values(await first.records(2))).toEqual([{ id: '1' }, { id: '2' }])
    await first.commit()
    await first.task.stop?.()
    const second = await startTask(csvSource, folders, INFER, stored)
    expect(values(await second.drain())).toEqual([{ id: '3' }, { id: '4' }])
    await second.commit()
    expect(await namesIn(folders.finished)).toEqual([`a.csv.${ending}`])
    await second.task.stop?.()
  })

  test('typed by a schema: numbers, decimals, times, with missing columns null and others left out', async () => {
    const field = (type: string, more: object = {}) => ({ type, isOptional: true, ...more })
    const schema = {
      name: 'order',
      type: 'STRUCT',
      isOptional: false,
      fieldSchemas: {
        ID: { type: 'INT64', isOptional: false },
        price: field('BYTES', { name: logicalNames.decimal, version: 1, parameters: { scale: '2' } }),
        at: { type: 'INT64', isOptional: false, name: logicalNames.timestamp, version: 1 },
        paid: field('BOOLEAN'),
        weight: field('FLOAT64'),
        nothing: field('STRING'),
      },
    }
    await put('a.csv', 'extra,id,price,at,paid,weight\nx,9007199254740993,1.5,2024-06-01T12:00:00,TRUE,\n')
    const { task, drain } = await startTask(csvSource, folders, {
      'csv.first.row.as.header': 'true',
      'value.schema': JSON.stringify(schema),
      'key.schema': JSON.stringify({ type: 'STRUCT', fieldSchemas: { ID: { type: 'INT64' } } }),
      'timestamp.mode': 'FIELD',
      'timestamp.field': 'at',
      'parser.timestamp.timezone': 'Europe/Berlin',
    })
    const [record] = await drain()
    const value = record?.value as Record<string, unknown>
    expect(record).toMatchObject({ key: { ID: 9007199254740993n }, timestamp: Date.UTC(2024, 5, 1, 10) })
    expect(value).toMatchObject({ ID: 9007199254740993n, paid: true, weight: null, nothing: null })
    expect(String(value['price'])).toBe('1.50')
    expect(value['at']).toEqual(new Date('2024-06-01T10:00:00Z'))
    await task.stop?.()
  })

  test('a blank line is left out and ends nothing, at the start of a batch too', async () => {
    await put('a.csv', 'id,n\n1,a\n\n2,b\n\n\n3,c\n')
    const options = { ...INFER, 'batch.size': '1', 'csv.null.field.indicator': 'BOTH' }
    const { task, drain } = await startTask(csvSource, folders, options)
    expect(values(await drain())).toEqual([
      { id: '1', n: 'a' },
      { id: '2', n: 'b' },
      { id: '3', n: 'c' },
    ])
    await task.stop?.()
  })

  test('names of columns come from the schema or are numbered when there is no header', async () => {
    await put('a.csv', 'skipped\nx,y\n')
    const options = { 'schema.generation.enabled': 'true', 'csv.skip.lines': '1' }
    const { task, drain } = await startTask(csvSource, folders, options)
    expect(values(await drain())).toEqual([{ column01: 'x', column02: 'y' }])
    await task.stop?.()
  })

  test('JSON that is written from the text is what JsonConverter writes', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\t', 'é', '😀', '\u0001', '\u007f', '\n') })
    const converters = ['true', 'false'].map((enable) => {
      const raw = { 'schemas.enable': enable }
      return jsonConverter.create(parseConfigOrThrow(jsonConverter.config, raw) as never, { isKey: false } as never)
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), async (rows) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
        await put('a.csv', `plain,"b ""c"""\n1,2\n${rows.map((row) => row.map(quoted).join(',')).join('\n')}\n`)
        const options = { ...INFER, 'csv.rfc.4180.parser.enabled': 'true', 'csv.null.field.indicator': 'EMPTY_QUOTES' }
        const { task, drain } = await startTask(csvSource, folders, options)
        const records = await drain()
        expect(records).toHaveLength(rows.length + 1)
        for (const record of records) {
          for (const converter of converters) {
            const fast = Buffer.from(converter.fromJsonText?.(record, 'value') ?? []).toString()
            const slow = converter.fromConnectData('t', record.valueSchema, record.value)
            expect(fast).toBe(Buffer.from(slow as Uint8Array).toString())
          }
        }
        await task.stop?.()
      }),
      { numRuns: 30 },
    )
  })
})

test.each([
  ['in other quotes', { 'csv.quote.char': '39' }, "a,b\n'x\ny',1\n", { a: 'x\ny', b: '1' }],
  ['that are kept', { 'csv.keep.carriage.return': 'true' }, 'a\r\nx\r\n', { a: 'x\r' }],
])('ends of lines %s are escaped in JSON', async (_name, options, content, expected) => {
  await put('a.csv', content)
  const { task, drain } = await startTask(csvSource, folders, { ...INFER, ...options })
  const [record] = await drain()
  expect(JSON.parse(Buffer.from(record?.jsonText?.('value') ?? []).toString())).toEqual(expected)
  await task.stop?.()
})

describe('errors in files', () => {
  const BAD = 'id,n\n1,a\n2\n3,c\n'

  test('fail the task and name file, record and fix', async () => {
    await put('bad.csv', BAD)
    const { task, records, drain } = await startTask(csvSource, folders, INFER)
    expect(values(await records(1))).toEqual([{ id: '1', n: 'a' }])
    await expect(drain()).rejects.toThrow(
      /bad\.csv, behind record 1: .*1 cells, fewer than the 2 columns.*halt\.on\.error/,
    )
    expect(await namesIn(folders.error)).toEqual([])
    await task.stop?.()
  })

  test('move the file to error.path with halt.on.error false, after what was read is committed', async () => {
    await put('bad.csv', BAD)
    await put('empty.csv', '')
    await put('headless.csv.gz', 'this is no gzip')
    await put('old.csv.bz2', 'BZh9')
    await put('z.csv', 'id,n\n4,d\n')
    const { task, drain, commit, warnings } = await startTask(csvSource, folders, {
      ...INFER,
      'halt.on.error': 'false',
    })
    expect(values(await drain())).toEqual([
      { id: '1', n: 'a' },
      { id: '4', n: 'd' },
    ])
    expect(await namesIn(folders.error)).toEqual([])
    await commit()
    expect(await namesIn(folders.error)).toEqual(['bad.csv', 'headless.csv.gz', 'old.csv.bz2'])
    expect(await namesIn(folders.finished)).toEqual(['empty.csv', 'z.csv'])
    expect(warnings.some((text) => text.includes('bzip2') && text.includes('gzip or zstd'))).toBe(true)
    await task.stop?.()
  })
})

describe('json', () => {
  test('objects one a line, one after another and in an array, with all fields of each', async () => {
    await put('a.json', '{"a":1,"b":"x\\u007d"}\n{"a":2}{"a":[1,{"z":0}],\n "b":null}')
    await put('b.json', '[{"a":true}, {"b":"\\"]}"}]\n')
    const { task, drain } = await startTask(jsonSource, folders, { ...INFER, 'csv.first.row.as.header': 'false' })
    expect(values(await drain())).toEqual([
      { a: '1', b: 'x}' },
      { a: '2' },
      { a: '[1,{"z":0}]', b: null },
      { a: 'true' },
      { b: '"]}' },
    ])
    await task.stop?.()
  })

  test('typed by a schema, big integers exactly', async () => {
    await put('a.json', '{"id":9007199254740993,"tags":["x","y"],"in":{"n":"5"}}\n')
    const schema = {
      type: 'STRUCT',
      fieldSchemas: {
        id: { type: 'INT64' },
        tags: { type: 'ARRAY', valueSchema: { type: 'STRING' } },
        in: { type: 'STRUCT', fieldSchemas: { n: { type: 'INT8' } } },
      },
    }
    const { task, drain } = await startTask(jsonSource, folders, { 'value.schema': JSON.stringify(schema) })
    expect(values(await drain())).toEqual([{ id: 9007199254740993n, tags: ['x', 'y'], in: { n: 5 } }])
    await task.stop?.()
  })

  test('as text, resumed between objects of one line, and cut anywhere', async () => {
    const objects = ['{"a":"\\\\"}', '{"b":"}{\\""}', '{"c":"ü"}']
    await put('a.json', objects.join(' '))
    for (const bufferSize of ['1', '2', '7', '1000']) {
      const stored: Stored = new Map()
      const seen: unknown[] = []
      for (let round = 0; round < objects.length; round++) {
        const options = { 'batch.size': '1', 'file.buffer.size.bytes': bufferSize }
        const { task, records, commit } = await startTask(schemalessSource, folders, options, stored)
        seen.push(...values(await records(1)))
        await commit()
        await task.stop?.()
      }
      expect(seen).toEqual(objects)
    }
  })

  test('what is cut off is an error', async () => {
    await put('a.json', '{"a":1}\n{"a":')
    const { task, drain } = await startTask(schemalessSource, folders)
    await expect(drain()).rejects.toThrow(/a\.json, behind record 1: the JSON value at byte 8 is cut off/)
    await task.stop?.()
  })
})

test('lines, blank ones too, with headers that tell where they are from', async () => {
  await mkdir(join(folders.input, 'sub'))
  await put('sub/a.txt', 'one\r\n\nlast')
  const { task, drain, commit } = await startTask(linesSource, folders, { 'input.path.walk.recursively': 'true' })
  const records = await drain()
  expect(values(records)).toEqual(['one', '', 'last'])
  const headers = Object.fromEntries((records[2] as SourceRecord).headers.map(({ key, value }) => [key, value]))
  expect(headers).toMatchObject({
    'file.name': 'a.txt',
    'file.name.without.extension': 'a',
    'file.path': join(folders.input, 'sub/a.txt'),
    'file.parent.dir.name': 'sub',
    'file.relative.path': 'sub',
    'file.length': 10n,
    'file.offset': 3n,
  })
  expect(headers['file.last.modified']).toBeInstanceOf(Date)
  await commit()
  expect(await namesIn(folders.input)).toEqual([])
  expect(await namesIn(folders.finished)).toEqual(['sub', 'sub/a.txt'])
  await task.stop?.()
})

test('a binary file is one record, and too large a one an error', async () => {
  await put('a.bin', Buffer.from([0, 255, 10]))
  const { task, drain } = await startTask(binarySource, folders)
  expect(values(await drain())).toEqual([Buffer.from([0, 255, 10])])
  await task.stop?.()
  const small = await startTask(binarySource, folders, { 'file.maximum.bytes': '2' })
  await expect(small.drain()).rejects.toThrow(/larger than 2 bytes/)
  await small.task.stop?.()
})

describe('files', () => {
  test('are put away after a crash between the commit and the move, and not read again', async () => {
    await put('a.txt', 'x\n')
    const stored: Stored = new Map()
    const first = await startTask(linesSource, folders, {}, stored)
    await first.drain()
    // The offset is durable, and the machine dies before the task hears of it.
    stored.set('a.txt', await endOffset('a.txt', 1))
    const second = await startTask(linesSource, folders, {}, stored)
    expect(await second.drain()).toEqual([])
    expect(await namesIn(folders.finished)).toEqual(['a.txt'])
    expect(await namesIn(folders.input)).not.toContain('a.txt')
    await second.task.stop?.()
    await first.task.stop?.()
  })

  test('of a name that was read before are read when they are others', async () => {
    const stored: Stored = new Map()
    const { task, drain, commit } = await startTask(linesSource, folders, {}, stored)
    for (const content of ['first\n', 'second, longer\n']) {
      await put('daily.txt', content)
      expect(values(await drain())).toEqual([content.trim()])
      await commit()
    }
    expect(await namesIn(folders.finished)).toEqual(['daily.txt', 'daily.txt.1'])
    expect(await readFile(join(folders.finished, 'daily.txt.1'), 'utf8')).toBe('second, longer\n')
    await task.stop?.()
  })

  test('that change between the last record and its commit are read again and lose nothing', async () => {
    await put('a.txt', 'one\n')
    const { task, drain, commit, warnings } = await startTask(linesSource, folders)
    await drain()
    await appendFile(join(folders.input, 'a.txt'), 'two\n')
    await commit()
    expect(await namesIn(folders.finished)).toEqual([])
    expect(values(await drain())).toEqual(['one', 'two'])
    expect(warnings.join()).toContain('file.minimum.age.ms')
    await task.stop?.()
  })

  test('stay with NONE, and are not read twice', async () => {
    await put('a.txt', 'x\n')
    const stored: Stored = new Map()
    const { task, drain, commit } = await startTask(linesSource, folders, { 'cleanup.policy': 'NONE' }, stored)
    expect(values(await drain())).toEqual(['x'])
    await commit()
    expect(await drain()).toEqual([])
    expect(await namesIn(folders.input)).toEqual(['a.txt'])
    await task.stop?.()
    const again = await startTask(linesSource, folders, { 'cleanup.policy': 'NONE' }, stored)
    expect(await again.drain()).toEqual([])
    await again.task.stop?.()
  })

  test('are deleted with DELETE, and sorted by day with MOVEBYDATE', async () => {
    await put('a.txt', 'x\n')
    await utimes(join(folders.input, 'a.txt'), new Date('2024-03-05T23:00:00Z'), new Date('2024-03-05T23:00:00Z'))
    const byDate = await startTask(linesSource, folders, { 'cleanup.policy': 'MOVEBYDATE' })
    await byDate.drain()
    await byDate.commit()
    expect(await namesIn(folders.finished)).toEqual(['2024-03-05', '2024-03-05/a.txt'])
    await byDate.task.stop?.()
    await put('b.txt', 'x\n')
    const deleting = await startTask(linesSource, folders, { 'cleanup.policy': 'DELETE', 'finished.path': '' })
    await deleting.drain()
    await deleting.commit()
    expect(await namesIn(folders.input)).toEqual([])
    await deleting.task.stop?.()
  })

  test('are read in the order that is asked for, and by one task each', async () => {
    for (const [name, content] of Object.entries({ a: '1\n', b: '22\n', c: '333\n', d: '4\n' }))
      await put(name, content)
    const all = await startTask(linesSource, folders, {
      'files.sort.attributes': 'LengthDesc,NameDesc',
      'cleanup.policy': 'NONE',
    })
    expect(values(await all.drain())).toEqual(['333', '22', '4', '1'])
    await all.task.stop?.()
    const seen: unknown[] = []
    for (const index of ['0', '1', '2']) {
      const options = { 'task.index': index, 'task.count': '3', 'cleanup.policy': 'NONE' }
      const { task, drain } = await startTask(linesSource, folders, options)
      seen.push(...values(await drain()))
      await task.stop?.()
    }
    expect(seen.map(String).toSorted()).toEqual(['1', '22', '333', '4'])
  })

  test('that are too young wait', async () => {
    await put('a.txt', 'x\n')
    const { task, drain } = await startTask(linesSource, folders, { 'file.minimum.age.ms': '3600000' })
    expect(await drain()).toEqual([])
    const old = new Date(Date.now() - 7_200_000)
    await utimes(join(folders.input, 'a.txt'), old, old)
    expect(values(await drain())).toEqual(['x'])
    await task.stop?.()
  })

  test('with an offset of SpoolDir, which counts records only, go on behind them', async () => {
    await put('a.csv', 'id\n1\n2\n3\n')
    const stored: Stored = new Map([['a.csv', { offset: 2 }]])
    const { task, drain } = await startTask(csvSource, folders, INFER, stored)
    const records = await drain()
    expect(values(records)).toEqual([{ id: '3' }])
    expect(records[0]?.sourceOffset).toMatchObject({ offset: 3, position: 9 })
    await task.stop?.()
  })
})

/** The offset that says that a file was read. */
async function endOffset(name: string, rows: number): Promise<Record<string, number | string>> {
  const { size, mtimeMs } = await stat(join(folders.input, name))
  return { offset: rows, position: size, length: size, modified: Math.floor(mtimeMs), outcome: 'done' }
}

describe('leases', () => {
  test('of this connector are taken again at once, after a crash', async () => {
    await put('a.txt', 'x\n')
    const crashed = await startTask(linesSource, folders)
    await crashed.drain()
    expect(await namesIn(folders.input)).toEqual(['a.txt', 'a.txt.PROCESSING'])
    const next = await startTask(linesSource, folders)
    expect(values(await next.drain())).toEqual(['x'])
    await next.commit()
    expect(await namesIn(folders.input)).toEqual([])
    await next.task.stop?.()
    await crashed.task.stop?.()
  })

  test('of files that are gone are removed, when they are of this connector', async () => {
    await put('ours.txt.PROCESSING', '{"owner":"files","beat":3}\n')
    await put('theirs.txt.PROCESSING', '{"owner":"other","beat":3}\n')
    const { task, drain } = await startTask(linesSource, folders)
    expect(await drain()).toEqual([])
    expect(await namesIn(folders.input)).toEqual(['theirs.txt.PROCESSING'])
    await task.stop?.()
  })

  test('of another connector hold while it lives', async () => {
    await put('a.txt', 'x\n')
    const other = await startTask(linesSource, folders, {}, new Map(), 'other')
    await other.drain()
    const { task, drain } = await startTask(linesSource, folders)
    expect(await drain()).toEqual([])
    await other.commit()
    expect(await namesIn(folders.finished)).toEqual(['a.txt'])
    await Promise.all([task.stop?.(), other.task.stop?.()])
  })

  test('that were left behind, and markers of SpoolDir, hide no file for ever', async () => {
    await put('a.txt', 'x\n')
    await put('a.txt.PROCESSING', '')
    const { task, records } = await startTask(linesSource, folders, {
      'lease.timeout.ms': '1000',
      'empty.poll.wait.ms': '50',
    })
    expect(values(await records(1))).toEqual(['x'])
    await task.stop?.()
  })
})

describe('validation', () => {
  const check = (options: Record<string, string>) => {
    const raw = {
      topic: 't',
      'input.path': folders.input,
      'finished.path': folders.finished,
      'error.path': folders.error,
      'input.file.pattern': '.*',
      'schema.generation.enabled': 'true',
      ...options,
    }
    return csvSource.validate?.(parseConfigOrThrow(csvSource.config, raw), raw)
  }

  test('takes what works', async () => {
    expect(await check({})).toEqual([])
  })

  test('names folders that are missing, and options that are refused', async () => {
    const issues = await check({
      'input.path': join(folders.root, 'nowhere'),
      'finished.path': '',
      'files.notifications.enabled': 'true',
      'schema.generation.enabled': 'false',
    })
    expect(issues?.map(({ key }) => key).toSorted()).toEqual([
      'files.notifications.enabled',
      'finished.path',
      'input.path',
      'value.schema',
    ])
  })
})
