import { DataError, schemas, type SinkRecord, struct, withOptions } from '@millrace/sdk'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainChange, unwrapDebezium } from '../../../../connectors/jdbc/envelope.ts'
import { truncateIdentifier } from '../../../../connectors/jdbc/postgres/identifiers.ts'
import { chooseFields } from '../../../../connectors/jdbc/row-fields.ts'
import { type Flush, TableBuffer } from '../../../../connectors/jdbc/table-buffer.ts'
import { sinkRecord } from '../../../integration/support/jdbc-tasks.ts'
import '../../property-settings.ts'

const key = struct({ id: schemas.int64, region: schemas.string })
const value = struct({
  id: schemas.int64,
  name: schemas.string,
  age: withOptions(schemas.int32, { optional: true, default: 18 }),
})

const defaults = {
  'pk.mode': 'none',
  'pk.fields': [],
  'fields.whitelist': [],
  'string.output.value.column.name': 'record_value',
  'replace.null.with.default': true,
} as const
type Config = Parameters<typeof chooseFields>[0]
const choose = (config: Partial<Config>, k = key as never, v: typeof value | null = value) =>
  chooseFields({ ...defaults, ...config } as Config, k, v, truncateIdentifier)
const names = (chosen: ReturnType<typeof choose>) => chosen.fields.map((field) => field.name + (field.isKey ? '*' : ''))

describe('the fields of a row', () => {
  test('pk.mode=none takes the value', () => expect(names(choose({}))).toEqual(['id', 'name', 'age']))
  test('pk.mode=kafka puts the coordinates first, and they are the original ones', () => {
    const chosen = choose({ 'pk.mode': 'kafka' })
    expect(names(chosen)).toEqual([
      '__connect_topic*',
      '__connect_partition*',
      '__connect_offset*',
      'id',
      'name',
      'age',
    ])
    const record: SinkRecord = { ...sinkRecord(5, null, null), topic: 'routed' }
    expect(chosen.keys.map((field) => field.value(plainChange(record)))).toEqual(['orders', 0, 5n])
  })
  test('pk.mode=record_key takes all fields of the key, those that are in the value at their place there', () => {
    expect(names(choose({ 'pk.mode': 'record_key' }))).toEqual(['id*', 'name', 'age', 'region*'])
    expect(names(choose({ 'pk.mode': 'record_key', 'pk.fields': ['id'] }))).toEqual(['id*', 'name', 'age'])
  })
  test('a primitive key needs exactly one name', () => {
    expect(names(choose({ 'pk.mode': 'record_key', 'pk.fields': ['k'] }, schemas.string as never))).toEqual([
      'id',
      'name',
      'age',
      'k*',
    ])
    expect(() => choose({ 'pk.mode': 'record_key' }, schemas.string as never)).toThrow(/exactly one/)
  })
  test('pk.mode=record_value takes listed fields', () => {
    expect(names(choose({ 'pk.mode': 'record_value', 'pk.fields': ['name'] }))).toEqual(['id', 'name*', 'age'])
  })
  test('fields.whitelist keeps the key', () => {
    expect(names(choose({ 'pk.mode': 'record_value', 'pk.fields': ['id'], 'fields.whitelist': ['name'] }))).toEqual([
      'id*',
      'name',
    ])
  })
  test('a null becomes the default, unless that is switched off', () => {
    const age = (config: Partial<Config>) =>
      choose(config).fields[2]?.value(
        plainChange(sinkRecord(0, null, { schema: value, value: { id: 1n, name: 'a', age: null } })),
      )
    expect(age({})).toBe(18)
    expect(age({ 'replace.null.with.default': false })).toBeNull()
  })
  test.each([
    [{ 'pk.mode': 'record_key', 'pk.fields': ['nope'] }, /nope/],
    [{ 'pk.mode': 'record_value', 'pk.fields': ['nope'] }, /nope/],
    [{ 'fields.whitelist': ['nope'] }, /no field is left/],
  ] as const)('%j is refused by name', (config, reason) => {
    expect(() => choose(config as never)).toThrow(reason)
    expect(() => choose(config as never)).toThrow(DataError)
  })
})

type Op = { readonly type: 'row' | 'delete'; readonly key: string; readonly plan: string; readonly row: string }

/** What the database does with a flush: deletes first, then rows. */
function apply(table: Map<string, string>, flush: Flush<string>, mode: string): void {
  for (const [k] of flush.deletes) table.delete(k as string)
  const touched = new Set<string>()
  for (const [k, v] of flush.rows) {
    expect(touched.has(k as string), 'one statement may touch a row once').toBe(false)
    touched.add(k as string)
    if (mode === 'upsert' || table.has(k as string)) table.set(k as string, v as string)
  }
}

describe('batching', () => {
  test.each(['upsert', 'update'] as const)('%s leaves each key as its last record says', (mode) => {
    const op = fc.record({
      type: fc.constantFrom('row' as const, 'row' as const, 'delete' as const),
      key: fc.constantFrom('a', 'b', 'c'),
      plan: fc.constantFrom('p', 'p', 'q'),
      row: fc.string({ maxLength: 3 }),
    })
    fc.assert(
      fc.property(fc.array(op, { maxLength: 40 }), fc.integer({ min: 1, max: 10 }), (ops: Op[], sizeMax) => {
        const expected = new Map<string, string>([['a', 'old']])
        const actual = new Map<string, string>([['a', 'old']])
        const buffer = new TableBuffer<string>({ mode, sizeMax })
        for (const { type, key: k, plan, row } of ops) {
          if (type === 'delete') expected.delete(k)
          else if (mode === 'upsert' || expected.has(k)) expected.set(k, row)
          const mustFlush = type === 'row' ? buffer.mustFlushBeforeRow(plan, k) : buffer.mustFlushBeforeDelete(plan, k)
          if (mustFlush) apply(actual, buffer.take(), mode)
          if (type === 'row') buffer.addRow(plan, k, [k, row])
          else buffer.addDelete(plan, k, [k])
          if (buffer.isFull) apply(actual, buffer.take(), mode)
        }
        apply(actual, buffer.take(), mode)
        expect(actual).toEqual(expected)
      }),
    )
  })

  test('insert keeps every row, and flushes between a row and a delete of one key', () => {
    const buffer = new TableBuffer<string>({ mode: 'insert', sizeMax: 100 })
    buffer.addRow('p', 'a', ['a', '1'])
    buffer.addRow('p', 'a', ['a', '2'])
    expect(buffer.mustFlushBeforeDelete('p', 'b')).toBe(false)
    expect(buffer.mustFlushBeforeDelete('p', 'a')).toBe(true)
    expect(buffer.take().rows).toEqual([
      ['a', '1'],
      ['a', '2'],
    ])
    buffer.addDelete('p', 'a', ['a'])
    expect(buffer.mustFlushBeforeRow('p', 'a')).toBe(true)
  })
})

test('large rows fill a buffer before their number does', () => {
  const buffer = new TableBuffer<string>({ mode: 'insert', sizeMax: 3000 })
  let added = 0
  for (; !buffer.isFull; added++) buffer.addRow('p', undefined, ['x'.repeat(1_000_000)])
  expect(added).toBe(17)
})

describe('change events', () => {
  const envelope = struct(
    {
      before: withOptions(value, { optional: true }),
      after: withOptions(value, { optional: true }),
      op: schemas.string,
    },
    { name: 's.t.Envelope' },
  )
  const event = (op: string, after: unknown) =>
    sinkRecord(0, null, { schema: envelope, value: { before: null, after, op } })

  test.each(['c', 'u', 'r'])('op %s is the row after the change', (op) => {
    const row = { id: 1n, name: 'a', age: 3 }
    expect(unwrapDebezium(event(op, row))).toMatchObject({ value: row, unchanged: undefined })
  })
  test('op d and a tombstone are deletes', () => {
    expect(unwrapDebezium(event('d', null))).toMatchObject({ value: null, valueSchema: null })
    expect(unwrapDebezium(sinkRecord(0, null, null))).toMatchObject({ value: null, valueSchema: null })
  })
  test.each(['t', 'm'])('op %s changes no row', (op) => expect(unwrapDebezium(event(op, null))).toBeUndefined())
  test('a large value that was not sent is left alone', () => {
    const change = unwrapDebezium(event('u', { id: 1n, name: '__debezium_unavailable_value', age: 3 }))
    expect(change?.unchanged).toEqual(new Set(['name']))
  })
  test('anything else is refused', () => {
    expect(() => unwrapDebezium(sinkRecord(0, null, { schema: value, value: { id: 1n } }))).toThrow(/change events/)
    expect(() => unwrapDebezium(event('c', null))).toThrow(/no field after/)
  })
})
