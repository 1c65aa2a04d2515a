import { mapOf, parseConfig, parseConfigOrThrow, type SinkRecord, schemas, struct } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { aivenSinkConfig, refusedSettings } from '../../../../connectors/s3/aiven/config.ts'
import { recordFormat } from '../../../../connectors/s3/aiven/record-format.ts'
import { recordAt } from '../../../integration/support/task-contract.ts'

const bucket = { 'aws.s3.bucket.name': 'b' }
const formatOf = (raw: Record<string, string>) =>
  recordFormat(parseConfigOrThrow(aivenSinkConfig, { ...bucket, ...raw }))

/** The text of a file with these records. */
function text(raw: Record<string, string>, records: readonly Partial<SinkRecord>[]): string {
  const { format, project } = formatOf(raw)
  const writer = format.create(null)
  for (const [offset, part] of records.entries()) {
    const { schema, value } = project(recordAt('orders', offset, { timestamp: 1_577_836_801_000, ...part }))
    writer.add(schema, value)
  }
  return Buffer.from(writer.finish()).toString()
}

const headers = [
  { key: 'h', value: Buffer.from('x'), schema: schemas.bytes },
  { key: 'i', value: null, schema: schemas.optional.bytes },
]
const all = { 'format.output.fields': 'key,value,offset,timestamp,headers' }

describe('csv', () => {
  test('fields are in base64, lines are separated and not ended', () => {
    const records = [{ key: 'k', value: Buffer.from('v0'), headers }, { value: Buffer.from('v1') }]
    expect(text(all, records)).toBe('aw==,djA=,0,1577836801000,aA==:eA==;aQ==:;\n,djE=,1,1577836801000,')
  })

  test('values may be as they are, and null is nothing', () => {
    const raw = { 'format.output.fields.value.encoding': 'none' }
    expect(text(raw, [{ value: 'a' }, { value: null }, { value: 'b' }])).toBe('a\n\nb')
  })

  test('a value that is neither bytes nor text is a fault of the record', () => {
    expect(() => text({}, [{ value: { a: 1 } }])).toThrow(/neither bytes nor text.*ByteArrayConverter/)
  })
})

describe('json', () => {
  const jsonl = { 'format.output.type': 'jsonl' }
  const value = { name: 'John', n: 9_007_199_254_740_993n }

  test('records are objects with the fields that were asked for', () => {
    const schema = struct({ name: schemas.string, n: schemas.int64 })
    const named = [{ key: 'h', value: 1, schema: schemas.int32 }]
    expect(text({ ...jsonl, ...all }, [{ key: 'k', value, valueSchema: schema, headers: named }])).toBe(
      '{"key":"k","value":{"name":"John","n":9007199254740993},"offset":0,"timestamp":"2020-01-01T00:00:01Z","headers":[{"key":"h","value":1}]}',
    )
    expect(text({ ...jsonl, 'format.output.fields': 'timestamp' }, [{ timestamp: 1 }, { timestamp: null }])).toBe(
      '{"timestamp":"1970-01-01T00:00:00.001Z"}\n{"timestamp":null}',
    )
  })

  test('without envelope the value is all there is', () => {
    const raw = { ...jsonl, 'format.output.envelope': 'false' }
    expect(text(raw, [{ value: { a: 1 } }, { value: null }, { value: 'x' }])).toBe('{"a":1}\nnull\n"x"')
  })

  test('an array has its brackets on lines of their own', () => {
    const raw = { 'format.output.type': 'json' }
    expect(text(raw, [{ value: 1 }, { value: 2 }])).toBe('[\n{"value":1},\n{"value":2}\n]')
    expect(JSON.parse(text(raw, [{ value: 1 }]))).toEqual([{ value: 1 }])
  })
})

describe('formats with a schema', () => {
  const raw = { 'format.output.type': 'parquet' }
  const project = (more: Record<string, string>, part: Partial<SinkRecord>) =>
    formatOf({ ...raw, ...more }).project(recordAt('orders', 3, { timestamp: 5, ...part }))

  test('records are structs, of one schema where they look alike', () => {
    const { project: same } = formatOf({ ...raw, ...all })
    const part = { key: 'k', keySchema: schemas.string, value: 1, valueSchema: schemas.int32 }
    const texts = [{ key: 'h', value: 'x', schema: schemas.string }]
    const first = same(recordAt('orders', 3, { ...part, timestamp: 5, headers: texts }))
    expect(first.value).toEqual({ key: 'k', value: 1, offset: 3n, timestamp: 5n, headers: new Map([['h', 'x']]) })
    expect(same(recordAt('orders', 4, { ...part, timestamp: 6, headers: texts })).schema).toBe(first.schema)
    expect(same(recordAt('orders', 4, part)).schema).not.toBe(first.schema)
  })

  test('without envelope structs are the rows, maps become them, and other values are wrapped', () => {
    const bare = { 'format.output.envelope': 'false' }
    const schema = struct({ a: schemas.int32 })
    expect(project(bare, { value: { a: 1 }, valueSchema: schema })).toEqual({ schema, value: { a: 1 } })
    const map = { value: new Map([['a', 1]]), valueSchema: mapOf(schemas.string, schemas.int32) }
    expect(project(bare, map).value).toEqual({ a: 1 })
    expect(project(bare, { value: 1, valueSchema: schemas.int32 }).value).toEqual({ value: 1 })
  })

  test.each<[string, Partial<SinkRecord>, RegExp]>([
    ['value', { value: { a: 1 } }, /its value has no schema/],
    ['key,value', { value: 1, valueSchema: schemas.int32 }, /its key has no schema/],
    [
      'headers',
      {
        headers: [
          { key: 'a', value: 1, schema: schemas.int32 },
          { key: 'b', value: 'x', schema: schemas.string },
        ],
      },
      /several types, INT32 and STRING/,
    ],
  ])('%s of a record that has no place is a fault of it', (fields, part, message) => {
    expect(() => project({ 'format.output.fields': fields }, part)).toThrow(message)
  })
})

describe('the configuration', () => {
  const issues = (raw: Record<string, string>) =>
    parseConfig(aivenSinkConfig, { ...bucket, ...raw }).issues.map(({ key, message }) => `${key}: ${message}`)

  test('deprecated names are read', () => {
    const parsed = parseConfigOrThrow(aivenSinkConfig, {
      aws_s3_bucket: 'old',
      output_compression: 'none',
      output_fields: 'key,value',
      'timestamp.timezone': 'Europe/Berlin',
    })
    expect(parsed).toMatchObject({
      'aws.s3.bucket.name': 'old',
      'file.compression.type': 'none',
      'format.output.fields': ['key', 'value'],
      'file.name.timestamp.timezone': 'Europe/Berlin',
    })
  })

  test.each<[Record<string, string>, RegExp]>([
    [{ 'file.name.template': '{{topic}}' }, /file.name.template: .*has to have the variables/],
    [{ 'file.name.template': '{{key}}', 'file.max.records': '2' }, /file.max.records: .*latest record/],
    [{ 'format.output.envelope': 'false', ...all }, /format.output.envelope: .*one field/],
    [{ 'file.compression.type': 'snappy' }, /file.compression.type: .*parquet alone/],
    [{ 'file.name.timestamp.timezone': 'Mars' }, /not a time zone/],
    [{ 'aws.access.key.id': 'k' }, /aws.secret.access.key is missing/],
    [{ 'aws.sts.role.session.duration': '30' }, /aws.sts.role.session.duration: Value must be at least 900/],
    [{ 'aws.sts.role.session.duration': '50000' }, /aws.sts.role.session.duration: Value must be no more than 43200/],
    [{ 'aws.sts.config.endpoint': 'sts' }, /aws.sts.config.endpoint: .*not a URL/],
    [{ 'format.output.fields': 'value,nonsense' }, /format.output.fields/],
  ])('%j is refused', (raw, message) => {
    expect(issues(raw).join()).toMatch(message)
  })

  test.each(['aws.credentials.provider', 'file.prefix.template'])('%s is refused by name', (key) => {
    expect(refusedSettings({ [key]: 'x' })[0]?.message).toMatch(
      new RegExp(`^${key}: this setting is not possible here`),
    )
  })
})
