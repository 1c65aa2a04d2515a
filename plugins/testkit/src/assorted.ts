import {
  arrayOf,
  type ConnectRecord,
  dateSchema,
  Decimal,
  decimalSchema,
  mapOf,
  type Schema,
  type SchemaAndValue,
  schemas,
  type SinkRecord,
  type SourceRecord,
  struct,
  timestampSchema,
} from '@millrace/sdk'

const inner = struct({ street: schemas.string, number: schemas.int32 }, { name: 'testkit.Address' })
const wide = struct(
  {
    id: schemas.int64,
    name: schemas.string,
    ratio: schemas.float64,
    active: schemas.boolean,
    picture: schemas.optional.bytes,
    price: decimalSchema(2),
    since: dateSchema(),
    seen: timestampSchema(),
    address: inner,
    tags: arrayOf(schemas.string),
    counts: mapOf(schemas.string, schemas.int32),
    note: schemas.optional.string,
  },
  { name: 'testkit.Wide', version: 1 },
)

/** A value with all kinds of fields that a schema can have. */
const wideValue = {
  id: 9_007_199_254_740_993n,
  name: 'née Ærø \u{1F600}',
  ratio: 0.1,
  active: true,
  picture: Uint8Array.of(0, 255, 128),
  price: new Decimal(-1250n, 2),
  since: new Date(86_400_000 * 20_000),
  seen: new Date(1_700_000_000_123),
  address: { street: '', number: -1 },
  tags: ['a', 'b'],
  counts: new Map([['x', 1]]),
  note: null,
}

/** Data of all kinds, as it may come to any transformation or converter. Made anew with each call, so that changes show. */
export function assortedData(): readonly SchemaAndValue[] {
  const data: (readonly [Schema | null, unknown])[] = [
    [wide, { ...wideValue, address: { ...wideValue.address } }],
    [struct({}), {}],
    [schemas.optional.string, null],
    [schemas.string, 'text'],
    [schemas.int8, -128],
    [schemas.int32, 2_147_483_647],
    [schemas.int64, -9_223_372_036_854_775_808n],
    [schemas.float64, Number.NaN],
    [schemas.boolean, false],
    [schemas.bytes, Uint8Array.of(1, 2, 3)],
    [arrayOf(inner), [{ street: 'x', number: 1 }]],
    [mapOf(schemas.string, schemas.string), new Map([['k', 'v']])],
    [null, { id: 1, name: 'schemaless', nested: { list: [1, 'two', null] }, at: 1_700_000_000_000 }],
    [null, 'text'],
    [null, 12.5],
    [null, true],
    [null, [1, 2, 3]],
    [null, null],
  ]
  return data.map(([schema, value]) => ({ schema, value }))
}

/** Records of a source and of a sink with that data as value, and as key. */
export function assortedRecords(): readonly (SourceRecord | SinkRecord)[] {
  return [...assortedData().entries()].flatMap(([index, { schema, value }]) => {
    const plain = { ...recordParts(index), value, valueSchema: schema }
    const keyed = { ...recordParts(index), key: value, keySchema: schema, value: 'v', valueSchema: schemas.string }
    return [sourceRecord(plain, index), sinkRecord(plain, index), sourceRecord(keyed, index)]
  })
}

function recordParts(index: number): ConnectRecord {
  return {
    topic: 'testkit-topic',
    partition: 0,
    key: `key-${index}`,
    keySchema: schemas.string,
    value: null,
    valueSchema: null,
    headers: [{ key: 'trace', value: `t-${index}`, schema: schemas.string }],
    timestamp: 1_700_000_000_000 + index,
  }
}

/** Makes a source record of a record's parts. */
export function sourceRecord(parts: Partial<ConnectRecord>, position: number): SourceRecord {
  const sourcePartition = { table: 'testkit' }
  return { ...recordParts(position), ...parts, sourcePartition, sourceOffset: { position } }
}

function sinkRecord(parts: ConnectRecord, offset: number): SinkRecord {
  return {
    ...parts,
    partition: 0,
    offset,
    timestampType: 'CreateTime',
    originalTopic: parts.topic,
    originalPartition: 0,
    originalOffset: offset,
  }
}
