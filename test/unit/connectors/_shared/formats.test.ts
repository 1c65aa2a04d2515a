import {
  arrayOf,
  Decimal,
  dateSchema,
  decimalSchema,
  mapOf,
  schemas,
  struct,
  timestampSchema,
  DataError,
  type Schema,
} from '@millrace/sdk'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import {
  avroFormat,
  type ByteSource,
  csvFormat,
  jsonLinesFormat,
  parquetFormat,
  readAvro,
  readParquet,
  type ReadValue,
  type WriteFormat,
} from '../../../../connectors/_shared/formats/index.ts'

const sourceOf = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read: async (start, end) => bytes.subarray(start, end),
})

async function all(values: AsyncGenerator<readonly ReadValue[]>): Promise<ReadValue[]> {
  const found: ReadValue[] = []
  for await (const batch of values) found.push(...batch)
  return found
}

/** A file of these values, taken in pieces as a sink does that is short of memory. */
function fileOf(format: WriteFormat, schema: Schema | null, values: readonly unknown[], piece = 7): Buffer {
  const writer = format.create(schema)
  const parts: Uint8Array[] = []
  values.forEach((value, index) => {
    writer.add(schema, value)
    if (index % piece === piece - 1) parts.push(writer.take())
  })
  return Buffer.concat([...parts, writer.finish()])
}

const everything = struct({
  i8: schemas.int8,
  i16: schemas.optional.int16,
  i32: schemas.int32,
  i64: schemas.int64,
  f32: schemas.float32,
  f64: schemas.optional.float64,
  flag: schemas.boolean,
  text: schemas.optional.string,
  blob: schemas.bytes,
  price: decimalSchema(2),
  day: dateSchema(),
  at: timestampSchema({ optional: true }),
  tags: arrayOf(schemas.optional.string, { optional: true }),
  counts: mapOf(schemas.string, schemas.int64),
  inner: struct({ a: schemas.int32, b: schemas.optional.string }, { optional: true }),
})

const rowOf = (id: number): Record<string, unknown> => ({
  i8: (id % 256) - 128,
  i16: id % 3 === 0 ? null : id,
  i32: 5 - id,
  i64: 9_007_199_254_740_993n + BigInt(id),
  f32: id / 4,
  f64: id % 2 === 0 ? null : id / 3,
  flag: id % 2 === 0,
  text: id % 5 === 0 ? null : `tëxt "${id}", more`,
  blob: Buffer.from([id % 256, 0, 255]),
  price: new Decimal(BigInt(id) * 12_345_678_901_234_567_890n - 5n, 2),
  day: new Date(id * 86_400_000),
  at: id % 4 === 0 ? null : new Date(1_700_000_000_000 + id),
  tags: id % 3 === 0 ? null : id % 3 === 1 ? [] : ['a', null, `t${id}`],
  counts: new Map([['x', BigInt(id)]]),
  inner: id % 2 === 0 ? null : { a: id, b: id % 4 === 1 ? null : 'b' },
})
const rows = Array.from({ length: 100 }, (_, id) => rowOf(id))

/** Bytes compare as bytes, whichever class holds them. */
const comparable = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (value instanceof Decimal) return `decimal ${value.toString()}`
  if (value instanceof Date || value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(comparable)
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [key, comparable(each)]))
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, comparable(each)]))
}

describe('Avro files', () => {
  for (const codec of ['null', 'deflate', 'snappy', 'zstandard'] as const) {
    test(`what is written with ${codec} is read with the same schema`, async () => {
      const read = await all(readAvro(sourceOf(fileOf(avroFormat(codec), everything, rows))))
      expect(read.map((each) => comparable(each.value))).toEqual(rows.map(comparable))
      const [first] = read
      expect(first?.schema?.fields.map((field) => [field.name, field.schema.type, field.schema.optional])).toEqual(
        everything.fields.map((field) => [field.name, field.schema.type, field.schema.optional]),
      )
      expect(first?.schema?.field('price')?.schema.name).toBe(decimalSchema(2).name)
    })
  }

  test('the same values make the same bytes', () => {
    expect(fileOf(avroFormat(), everything, rows)).toEqual(fileOf(avroFormat(), everything, rows))
  })

  test('a damaged file is refused with what is wrong', async () => {
    const file = fileOf(avroFormat(), everything, rows)
    await expect(all(readAvro(sourceOf(file.subarray(0, -3))))).rejects.toThrow('ends in the middle of a block')
    file[file.length - 1] = (file.at(-1) ?? 0) ^ 1
    await expect(all(readAvro(sourceOf(file)))).rejects.toThrow('the mark behind a block is wrong')
    await expect(all(readAvro(sourceOf(Buffer.from('no avro at all'))))).rejects.toThrow(
      'does not begin as an Avro file',
    )
  })

  test('a value that does not fit leaves the file as it was', async () => {
    const schema = struct({ id: schemas.int32 })
    const writer = avroFormat().create(schema)
    writer.add(schema, { id: 1 })
    expect(() => writer.add(schema, { id: 'secret' })).toThrow(DataError)
    expect(() => writer.add(schema, { id: 'secret' })).not.toThrow('secret')
    writer.add(schema, { id: 2 })
    expect((await all(readAvro(sourceOf(Buffer.from(writer.finish()))))).map((each) => each.value)).toEqual([
      { id: 1 },
      { id: 2 },
    ])
  })
})

describe('Parquet files', () => {
  for (const codec of ['none', 'snappy', 'gzip', 'zstd'] as const) {
    test(`what is written with ${codec} is read with the same schema`, async () => {
      const read = await all(readParquet(sourceOf(fileOf(parquetFormat(codec), everything, rows, 40))))
      expect(read.map((each) => comparable(each.value))).toEqual(rows.map(comparable))
      expect(read[0]?.schema?.fields.map((field) => [field.name, field.schema.type, field.schema.optional])).toEqual(
        everything.fields.map((field) => [field.name, field.schema.type, field.schema.optional]),
      )
    })
  }

  test('values without a schema are refused with what to do', () => {
    expect(() => parquetFormat().create(null)).toThrow('needs values with a schema')
  })

  test('columns with nulls, of nulls alone, and of text that comes back late are read as they were', async () => {
    const schema = struct({
      whole: schemas.optional.int64,
      real: schemas.optional.float64,
      small: schemas.optional.int32,
      none: schemas.optional.string,
      seldom: schemas.optional.string,
      always: schemas.string,
    })
    const values = Array.from({ length: 3000 }, (_, n) => ({
      whole: n % 7 === 5 ? null : BigInt(n) ** 5n,
      real: n < 2000 ? n / 8 : null,
      small: 5 - n,
      none: null,
      seldom: n % 11 === 0 ? null : `tëxt ${n % 500}`,
      always: 'the same',
    }))
    const written = fileOf(parquetFormat(), schema, values, 2900)
    expect((await all(readParquet(sourceOf(written)))).map((each) => each.value)).toEqual(values)
    // Each text is there once, and so small is the file.
    expect(written.length).toBeLessThan(60_000)
  })

  test('decimals are the bytes that other readers expect, of which zero has one', async () => {
    const schema = struct({ price: decimalSchema(2) })
    const prices = ['0.00', '-0.01', '1.28', '-1.29', '655.36'].map((text) => ({ price: Decimal.parse(text) }))
    const file = new Uint8Array(fileOf(parquetFormat(), schema, prices)).buffer
    const metadata = parquetMetadata(file)
    expect(metadata.schema[1]).toMatchObject({ type: 'BYTE_ARRAY', converted_type: 'DECIMAL', scale: 2 })
    const asBytes = metadata.schema.map(({ converted_type: _decimal, ...element }) => element)
    const read = await parquetReadObjects({ file, metadata: { ...metadata, schema: asBytes }, utf8: false })
    expect(read.map(({ price }) => [...price])).toEqual([[0], [0xff], [0, 0x80], [0xff, 0x7f], [1, 0, 0]])
  })

  test('numbers beyond their type are refused as they come', async () => {
    for (const [type, most] of [
      [schemas.int8, 127],
      [schemas.int16, 32_767],
      [schemas.int32, 2 ** 31 - 1],
      [schemas.int64, 2n ** 63n - 1n],
    ] as const) {
      const schema = struct({ a: type })
      const writer = parquetFormat().create(schema)
      const least = typeof most === 'bigint' ? -most - 1n : -most - 1
      writer.add(schema, { a: most })
      writer.add(schema, { a: least })
      const beyond = typeof most === 'bigint' ? [most + 1n, -most - 2n] : [most + 1, -most - 2]
      for (const a of beyond) expect(() => writer.add(schema, { a })).toThrow(DataError)
      const read = await all(readParquet(sourceOf(Buffer.from(writer.finish()))))
      expect(read.map((each) => each.value)).toEqual([{ a: most }, { a: least }])
    }
  })

  test('a row that does not fit is left out whole', async () => {
    const schema = struct({ a: schemas.int32, b: schemas.string })
    const writer = parquetFormat().create(schema)
    writer.add(schema, { a: 1, b: 'x' })
    expect(() => writer.add(schema, { a: 2, b: 3 })).toThrow(DataError)
    writer.add(schema, { a: 3, b: 'z' })
    const read = await all(readParquet(sourceOf(Buffer.from(writer.finish()))))
    expect(read.map((each) => each.value)).toEqual([
      { a: 1, b: 'x' },
      { a: 3, b: 'z' },
    ])
  })
})

describe('lines', () => {
  test('JSON is what JsonConverter writes without schemas', () => {
    const text = fileOf(jsonLinesFormat(), everything, [rowOf(7)]).toString()
    expect(JSON.parse(text)).toMatchObject({
      i8: -121,
      i16: 7,
      flag: false,
      text: 'tëxt "7", more',
      day: 7,
      counts: { x: 7 },
    })
    expect(text).toContain('"i64":9007199254741000,')
    expect(text.endsWith('\n')).toBe(true)
  })

  test('decimals are base64, or numbers', () => {
    const schema = struct({ price: decimalSchema(2) })
    const value = { price: new Decimal(12_345n, 2) }
    expect(fileOf(jsonLinesFormat(), schema, [value]).toString()).toBe('{"price":"MDk="}\n')
    expect(fileOf(jsonLinesFormat({ numericDecimals: true }), schema, [value]).toString()).toBe('{"price":123.45}\n')
  })

  test('JSON lines: text that a record brings goes in as it is, however long', () => {
    const writer = jsonLinesFormat().create(null)
    const long = `{"b":"${'x'.repeat(200_000)}"}`
    writer.addJson?.(Buffer.from('{"a":1.0}'))
    writer.addJson?.(Buffer.from(long))
    writer.add(null, { c: 1 })
    expect(writer.heldBytes).toBe(10 + long.length + 1 + 8)
    expect(Buffer.from(writer.finish()).toString()).toBe(`{"a":1.0}\n${long}\n{"c":1}\n`)
  })

  test('CSV quotes what needs it, and an empty line is never written', () => {
    const schema = struct({ a: schemas.optional.string, b: schemas.int32 })
    const values = [
      { a: 'x,y', b: 1 },
      { a: 'say "hi"\n', b: 2 },
      { a: null, b: 3 },
    ]
    expect(fileOf(csvFormat(), schema, values).toString()).toBe('a,b\n"x,y",1\n"say ""hi""\n",2\n,3\n')
    expect(fileOf(csvFormat({ header: false }), schemas.optional.string, ['']).toString()).toBe('""\n')
  })

  test('CSV of objects without a schema takes the columns of the first and refuses others', () => {
    const writer = csvFormat().create(null)
    writer.add(null, { a: 1, b: [1, 2] })
    writer.add(null, { b: 'x' })
    expect(() => writer.add(null, { c: 1 })).toThrow('the column c is not among those of the file')
    expect(Buffer.from(writer.finish()).toString()).toBe('a,b\n1,"[1,2]"\n,x\n')
  })
})
