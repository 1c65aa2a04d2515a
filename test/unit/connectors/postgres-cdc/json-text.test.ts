import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseConfigKeys } from '@millrace/sdk'
import { silentLogger } from '../../../../src/base/index.ts'
import type { RowColumn } from '../../../../connectors/postgres-cdc/captured-table.ts'
import { ChangeRecord } from '../../../../connectors/postgres-cdc/change-record.ts'
import type { TypeOptions } from '../../../../connectors/postgres-cdc/types/column-codec.ts'
import jsonConverter from '../../../../src/connect/converters/json/json-converter.ts'
import { baseType, column, decoderSettings, makeTable, text, tuple, type TupleValue, typeDefaults } from './fixtures.ts'
import '../../property-settings.ts'

const options = parseConfigKeys(jsonConverter.config, { 'schemas.enable': 'false' })
const converter = jsonConverter.create(
  Object.fromEntries([...options].map(([name, { value }]) => [name, value])) as never,
  { isKey: false, logger: silentLogger },
)

const MODES: readonly TypeOptions[] = [
  typeDefaults,
  {
    ...typeDefaults,
    decimalMode: 'string',
    timeMode: 'connect',
    intervalMode: 'string',
    binaryMode: 'hex',
    hstoreMode: 'map',
  },
  { ...typeDefaults, decimalMode: 'double', timeMode: 'isostring', binaryMode: 'base64' },
  { ...typeDefaults, timeMode: 'microseconds', binaryMode: 'base64-url-safe', moneyFractionDigits: 1 },
  { ...typeDefaults, timeMode: 'nanoseconds' },
]

const numeric = (precision: number, scale: number): number => ((precision << 16) | (scale & 0x7ff)) + 4
const array = (element: string): RowColumn['type'] => baseType(`_${element}`, { element: baseType(element) })

/** Types with texts as Postgres prints them. */
const SAMPLES: readonly (readonly [Partial<RowColumn>, string, readonly string[]])[] = [
  [{}, 'bool', ['t', 'f']],
  [{}, 'int2', ['0', '-32768', '32767']],
  [{}, 'int8', ['0', '-9223372036854775808', '9223372036854775807']],
  [{}, 'float4', ['1.5', '-0', '0', '123456.79', '1e-10', 'NaN', 'Infinity', '-Infinity', '3']],
  [{}, 'float8', ['3.141592653589793', '1e+300', '1e+21', '100000000000000000000', '-0.1', '5']],
  [
    { typeModifier: numeric(8, 2) },
    'numeric',
    ['12.50', '-0.01', '0.00', '999999.99', '-128.00', '1.27', '1.28', 'NaN'],
  ],
  [{ typeModifier: numeric(38, 10) }, 'numeric', ['1234567890123456789012345678.0123456789', '-0.0000000001']],
  [{ typeModifier: numeric(5, -2) }, 'numeric', ['12300', '-100', '0']],
  [{}, 'numeric', ['10.1111', '-1234567.8900', '100000000000000000000', '0.000', 'NaN', 'Infinity']],
  [{}, 'money', ['$1,234.11', '-$0.50', '$0.00']],
  [{ typeModifier: 1 }, 'bit', ['0', '1']],
  [{ typeModifier: 7 }, 'bit', ['0000000', '1000001']],
  [{}, 'varbit', ['', '101', '1000000000000001']],
  [{}, 'bytea', ['\\x', '\\x010203ff']],
  [{}, 'text', ['', 'plain', 'quote " backslash \\ slash /', 'tab\t line\n \u0001 \u001f \u007f', 'é中😀']],
  [{}, 'date', ['2016-11-04', '1969-12-31', '0001-01-01', '0044-03-15 BC', '12000-01-01', 'infinity', '-infinity']],
  [{}, 'time', ['13:51:30', '13:51:30.123456', '24:00:00', '00:00:00.000001']],
  [{ typeModifier: 3 }, 'time', ['13:51:30.123', '00:00:00']],
  [{}, 'timetz', ['13:51:30.123789+02', '00:00:00+14', '24:00:00-02', '12:00:00.5+05:30']],
  [
    {},
    'timestamp',
    [
      '2016-11-04 13:51:30.123456',
      '1970-01-01 00:00:00',
      '1969-12-31 23:59:59.999999',
      '0044-03-15 12:00:00 BC',
      '20000-01-01 00:00:00',
      'infinity',
      '-infinity',
    ],
  ],
  [
    { typeModifier: 3 },
    'timestamp',
    ['2016-11-04 13:51:30.123', '1900-01-01 00:00:00', '9999-12-31 23:59:59.999', 'infinity'],
  ],
  [
    {},
    'timestamptz',
    [
      '2016-11-04 11:51:30.123456+00',
      '2016-11-04 11:51:30+00',
      '2016-11-04 11:51:30.5+00',
      '0001-12-31 23:59:59.5+00 BC',
      '20000-01-01 00:00:00+00',
      'infinity',
    ],
  ],
  [{ typeModifier: 0 }, 'timestamptz', ['2016-11-04 11:51:30+00']],
  [{ typeModifier: 3 }, 'timestamptz', ['2016-11-04 11:51:30.1+00', '2016-11-04 11:51:30+00']],
  [
    {},
    'interval',
    [
      '1 year 2 mons 3 days 04:05:06.78',
      '-1 years -2 days +03:00:00.5',
      '00:00:00',
      '1 mon -00:00:00.000001',
      '100000:00:00',
      'infinity',
    ],
  ],
  [{}, 'jsonb', ['{"a": 1}', 'null', '"\\u0000"']],
  [{}, 'uuid', ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  [{}, 'hstore', ['"k"=>"v", "n"=>NULL, "a b"=>"q\\"x"', '']],
  [{}, 'inet', ['192.168.1.1/24']],
  [{}, 'point', ['(1,2)', '(-1.5,10000000000)', '(NaN,Infinity)']],
  [{}, 'box', ['(3,4),(1,2)']],
  [{}, 'path', ['[(1,2),(3,4)]', '((1,2),(3,4))']],
  [{}, 'polygon', ['((0,0),(1,1),(1,0))']],
  [{}, 'circle', ['<(1,2),3>']],
  [{}, 'line', ['{1,2,3}']],
  [{ type: array('int4') }, 'int4', ['{}', '{1,NULL,3}', '{{1,2},{3,4}}', '[2:3]={5,6}']],
  [{ type: array('text') }, 'text', ['{a,NULL,"NULL","b c","q\\"\\\\x",""}']],
  [{ type: array('numeric'), typeModifier: numeric(6, 2) }, 'numeric', ['{1.20,3.45,NULL,NaN}']],
  [{ type: array('timestamptz') }, 'timestamptz', ['{"2016-11-04 11:51:30.123456+00"}']],
  [{ type: array('date') }, 'date', ['{2016-11-04,NULL}']],
]

/** A line of COPY as the server writes it. */
function copyLine(values: readonly TupleValue[]): Buffer {
  const escapes: Record<string, string> = {
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
    '\\': '\\\\',
  }
  const fields = values.map((value) =>
    value === null || value === undefined ? '\\N' : value.replace(/[\b\f\n\r\t\v\\]/g, (char) => escapes[char] ?? char),
  )
  return Buffer.from(`${fields.join('\t')}\n`, 'utf8')
}

function records(columns: readonly RowColumn[], values: readonly TupleValue[], types: TypeOptions): ChangeRecord[] {
  const table = makeTable(columns, { types }, [columns[0]?.name ?? ''])
  const context = { xid: 1, micros: 1_600_000_000_123_456, lastCommitLsn: 77, origin: null, originLsn: null }
  const make = (buffer: Buffer, isCopy: boolean): ChangeRecord =>
    new ChangeRecord(decoderSettings([]), table, {
      operation: isCopy ? 'r' : 'c',
      context,
      lsn: 99,
      processedMicros: 1_700_000_000_000_001,
      buffer: Buffer.concat([Buffer.from('xx'), buffer]),
      beforeStart: -1,
      afterStart: 2,
      end: buffer.length + 2,
      isTombstone: false,
      isOldFull: false,
      headers: null,
      marker: isCopy ? 'true' : 'false',
      position: isCopy ? null : { endLsn: 1, xid: 1, changes: 1, records: 0 },
    })
  const asTuple = make(tuple(...values), false)
  return values.includes(undefined) ? [asTuple] : [asTuple, make(copyLine(values), true)]
}

/** JSON with every number in one form. */
const canonical = (bytes: Uint8Array | null): string | null =>
  bytes === null
    ? null
    : Buffer.from(bytes)
        .toString('utf8')
        .replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
          token.startsWith('"')
            ? JSON.stringify(JSON.parse(token))
            : /^-?\d+$/.test(token)
              ? BigInt(token).toString()
              : String(Number(token)),
        )

function check(record: ChangeRecord): void {
  for (const part of ['key', 'value'] as const) {
    const fast = record.jsonText(part)
    const slow = converter.fromConnectData(record.topic, record[`${part}Schema`], record[part])
    expect(canonical(fast)).toBe(canonical(slow))
  }
}

describe('JSON from the wire bytes equals JSON of the built value', () => {
  test.each(
    SAMPLES.map(
      ([more, type, texts]) => [`${more.type?.name ?? type}${more.typeModifier ?? ''}`, more, type, texts] as const,
    ),
  )('%s', (_name, more, type, texts) => {
    for (const types of MODES) {
      for (const value of [...texts, null, undefined]) {
        for (const notNull of [false, true]) {
          const columns = [
            column('id', 'int4', { notNull: true }),
            column('c', type, { ...more, notNull }),
            column('z', 'text'),
          ]
          for (const record of records(columns, ['7', value, 'end'], types)) check(record)
        }
      }
    }
  })

  test('defaults take the place of nulls', () => {
    const columns = [
      column('id', 'int4', { notNull: true }),
      column('n', 'int4', { defaultExpression: '5' }),
      column('t', 'text', { defaultExpression: "'it''s'::text" }),
      column('x', 'timestamptz', { defaultExpression: 'now()' }),
      column('d', 'numeric', { typeModifier: numeric(6, 2), defaultExpression: '1.5' }),
    ]
    for (const record of records(columns, ['1', null, null, null, null], typeDefaults)) {
      check(record)
      expect(JSON.parse(text(record, 'value') ?? '').after).toEqual({
        id: 1,
        n: 5,
        t: "it's",
        x: '1970-01-01T00:00:00.000000Z',
        d: 'AJY=',
      })
    }
  })

  test('random rows', () => {
    const pad = (value: number, width: number): string => String(value).padStart(width, '0')
    const time = fc
      .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999_999))
      .map(
        ([h, m, s, micros]) =>
          `${pad(h, 2)}:${pad(m, 2)}:${pad(s, 2)}${micros ? `.${pad(micros, 6).replace(/0+$/, '')}` : ''}`,
      )
    const date = fc
      .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
      .map((value) => value.toISOString().slice(0, 10))
    const decimal = fc.tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 18n })).map(([negative, digits]) => {
      const all = digits.toString().padStart(4, '0')
      return `${negative && digits > 0n ? '-' : ''}${all.slice(0, -3)}.${all.slice(-3)}`
    })
    const row = fc.tuple(
      fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }).map(String),
      fc.option(fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', ''))),
      fc.option(decimal),
      fc.option(fc.tuple(date, time).map(([day, clock]) => `${day} ${clock}`)),
      fc.option(fc.tuple(date, time).map(([day, clock]) => `${day} ${clock}+00`)),
      fc.option(date),
      fc.option(time),
      fc.option(fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value)))),
      fc.option(fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', ''))),
    )
    const columns = [
      column('id', 'int4', { notNull: true }),
      column('a "name"', 'text'),
      column('n', 'numeric', { typeModifier: numeric(20, 3) }),
      column('ts', 'timestamp'),
      column('tz', 'timestamptz'),
      column('d', 'date'),
      column('t', 'time'),
      column('f', 'float8'),
      column('é', 'varchar'),
    ]
    fc.assert(
      fc.property(row, fc.constantFrom(...MODES), (values, types) => {
        for (const record of records(columns, values, types)) check(record)
      }),
      { numRuns: 100 },
    )
  })
})
