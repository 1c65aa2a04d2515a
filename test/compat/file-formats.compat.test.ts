// Files that sinks write, as readers that others wrote see them: a reader of our own could share a mistake of the writer.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  arrayOf,
  Decimal,
  dateSchema,
  decimalSchema,
  mapOf,
  schemas,
  struct,
  timeSchema,
  timestampSchema,
} from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { avroFormat, parquetFormat, type WriteFormat } from '../../connectors/_shared/formats/index.ts'
import { PYTHON_FORMATS, pythonMissing, pythonWith, runPython } from '../services/python.ts'

const ROWS = 3000
const missing = pythonMissing()

const schema = struct({
  i8: schemas.int8,
  i16: schemas.optional.int16,
  i32: schemas.optional.int32,
  i64: schemas.optional.int64,
  f32: schemas.float32,
  f64: schemas.optional.float64,
  flag: schemas.optional.boolean,
  none: schemas.optional.string,
  seldom: schemas.optional.string,
  always: schemas.string,
  blob: schemas.optional.bytes,
  price: decimalSchema(2),
  day: dateSchema({ optional: true }),
  time: timeSchema(),
  at: timestampSchema({ optional: true }),
  tags: arrayOf(schemas.optional.string, { optional: true }),
  counts: mapOf(schemas.string, schemas.int64),
  inner: struct({ a: schemas.int32, b: schemas.optional.string }, { optional: true }),
})

const rowOf = (n: number) => ({
  i8: (n % 256) - 128,
  i16: n % 3 === 0 ? null : n,
  i32: n < 2000 ? 5 - n : null,
  i64: n % 7 === 5 ? null : BigInt(n) ** 5n,
  f32: n / 4,
  f64: n % 2 === 0 ? null : n / 3,
  flag: n % 5 === 0 ? null : n % 2 === 0,
  none: null,
  seldom: n % 11 === 0 ? null : `tëxt ${n % 500}`,
  always: 'the same',
  blob: n % 13 === 0 ? null : Buffer.from([n % 256, 0, 255]),
  price: new Decimal(BigInt(n - 1000) * 10n ** BigInt(n % 20), 2),
  day: n % 3 === 0 ? null : new Date((n - 1500) * 86_400_000),
  time: n * 1000 + 7,
  at: n % 4 === 0 ? null : new Date(1_700_000_000_000 + n),
  tags: n % 3 === 0 ? null : n % 3 === 1 ? [] : ['a', null, `t${n}`],
  counts: new Map([
    ['x', BigInt(n)],
    ['y', -1n],
  ]),
  inner: n % 2 === 0 ? null : { a: n, b: n % 4 === 1 ? null : 'b' },
})
const rows = Array.from({ length: ROWS }, (_, n) => rowOf(n))

/** A value as the script below prints it. */
function printed(value: unknown): unknown {
  if (typeof value === 'bigint' || value instanceof Decimal) return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof Map) return [...value].map(([key, each]) => [key, printed(each)])
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value)
    ? value.map(printed)
    : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, printed(v)]))
}

const expected = rows.map((row) => ({
  ...(printed({ ...row, day: null, at: null }) as object),
  day: row.day?.toISOString().slice(0, 10) ?? null,
  at: row.at?.getTime() ?? null,
}))

/** Prints the rows of a file, one JSON object a line: whole numbers of 64 bits and decimals as text, bytes in hex. */
const READ = `
import datetime, json, sys
def value(name, v):
    if isinstance(v, bytes): return v.hex()
    if isinstance(v, datetime.datetime): return round(v.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
    if isinstance(v, datetime.date): return v.isoformat()
    if isinstance(v, datetime.time): return (v.hour * 3600 + v.minute * 60 + v.second) * 1000 + v.microsecond // 1000
    if name == 'price' or (name == 'i64' and v is not None): return format(v, 'f') if name == 'price' else str(v)
    if name == 'counts': return [[k, str(n)] for k, n in (v.items() if isinstance(v, dict) else v)]
    return v
if sys.argv[1].endswith('parquet'):
    import pyarrow.parquet
    rows = pyarrow.parquet.read_table(sys.argv[1]).to_pylist()
else:
    import fastavro
    rows = list(fastavro.reader(open(sys.argv[1], 'rb')))
for row in rows: print(json.dumps({k: value(k, v) for k, v in row.items()}))
`

describe.skipIf(missing !== null)('files of sinks, read by others', () => {
  let python: string
  let folder: string

  beforeAll(async () => {
    python = await pythonWith(PYTHON_FORMATS)
    folder = await mkdtemp(join(tmpdir(), 'millrace-formats-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** The rows that Python finds in a file of ours, of several row groups or blocks. */
  async function readByPython(format: WriteFormat): Promise<unknown[]> {
    const writer = format.create(schema)
    const parts: Uint8Array[] = []
    rows.forEach((row, index) => {
      writer.add(schema, row)
      if (index % 1700 === 1699) parts.push(Buffer.from(writer.take()))
    })
    const path = join(folder, `file${format.extension}`)
    await writeFile(path, Buffer.concat([...parts, writer.finish()]))
    const { code, stdout, stderr } = await runPython(python, READ, [path])
    if (code !== 0) throw new Error(`the file cannot be read: ${stderr}`)
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
  }

  for (const codec of ['none', 'snappy', 'gzip', 'zstd'] as const) {
    test(`pyarrow reads Parquet with ${codec}`, async () => {
      expect(await readByPython(parquetFormat(codec))).toEqual(expected)
    })
  }

  for (const codec of ['null', 'deflate', 'snappy', 'zstandard'] as const) {
    test(`fastavro reads Avro with ${codec}`, async () => {
      expect(await readByPython(avroFormat(codec))).toEqual(expected)
    })
  }
})
