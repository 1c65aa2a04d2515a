import {
  arrayOf,
  dateSchema,
  Decimal,
  decimalSchema,
  parseConfig,
  type Schema,
  schemas,
  timeSchema,
  timestampSchema,
  withOptions,
} from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { connectionSettings } from '../../../../connectors/jdbc/connection-config.ts'
import { writeArray } from '../../../../connectors/jdbc/postgres/array-writer.ts'
import { addColumns, createTable, literal } from '../../../../connectors/jdbc/postgres/ddl.ts'
import { postgresDialect } from '../../../../connectors/jdbc/postgres/dialect.ts'
import { driverProperties } from '../../../../connectors/jdbc/postgres/driver-properties.ts'
import { describeFailure, failureKind } from '../../../../connectors/jdbc/postgres/failures.ts'
import { binderOf, formOf } from '../../../../connectors/jdbc/postgres/forms.ts'
import { planReaders } from '../../../../connectors/jdbc/postgres/readers.ts'
import { WireBuffer } from '../../../../connectors/jdbc/postgres/wire-buffer.ts'
import { bindRows, writeStatements } from '../../../../connectors/jdbc/postgres/writes.ts'
import { sinkConfig } from '../../../../connectors/jdbc/sink-config.ts'
import { sourceConfig } from '../../../../connectors/jdbc/source-config.ts'
import { utc, zoneOf } from '../../../../connectors/jdbc/zone.ts'

const bind = {
  zone: utc,
  dateZone: utc,
  calendar: 'LEGACY',
  timestampFields: new Set(['at']),
  timestampUnitsPerSecond: 1_000_000,
} as const
const ddl = { identifier: (name: string) => postgresDialect.identifier(name, 'always'), debeziumTypes: true, bind }

describe('statements', () => {
  const columns = [
    { identifier: '"id"', type: 'bigint', isArray: false, isKey: true, form: 'bare' },
    { identifier: '"tags"', type: 'text[]', isArray: true, isKey: false, form: 'quoted' },
  ]
  test('take any number of rows with one text', () => {
    expect(writeStatements('"t"', columns)).toEqual({
      insert:
        'INSERT INTO "t" ("id", "tags") SELECT u.c0, u.c1::text[] FROM unnest($1::bigint[], $2::text[]) AS u(c0, c1)',
      upsert:
        'INSERT INTO "t" ("id", "tags") SELECT u.c0, u.c1::text[] FROM unnest($1::bigint[], $2::text[]) AS u(c0, c1) ON CONFLICT ("id") DO UPDATE SET "tags" = EXCLUDED."tags"',
      update:
        'UPDATE "t" AS t SET "tags" = u.c1::text[] FROM unnest($1::bigint[], $2::text[]) AS u(c0, c1) WHERE t."id" = u.c0',
      delete: 'DELETE FROM "t" AS t USING unnest($1::bigint[], $2::text[]) AS u(c0, c1) WHERE t."id" = u.c0',
    })
  })
  test('an upsert of keys alone does nothing on conflict', () => {
    expect(writeStatements('"t"', columns.slice(0, 1)).upsert).toMatch(/ON CONFLICT \("id"\) DO NOTHING$/)
  })
  test('values are quoted inside their arrays', () => {
    const rows = [
      ['1', '{"a"}'],
      ['2', null],
      ['3', 'back\\slash "quoted"'],
    ]
    const { forms = [] } = bindRows('x', undefined, columns, rows)[0]?.arrays ?? {}
    const texts = forms.map((form, at) => {
      const out = new WireBuffer()
      writeArray(out, rows, at, form)
      return out.written().toString()
    })
    expect(texts).toEqual(['{1,2,3}', '{"{\\"a\\"}",NULL,"back\\\\slash \\"quoted\\""}'])
  })
})

describe('CREATE TABLE', () => {
  test('has a type, nullability, default and the primary key', () => {
    const columns = [
      { name: 'id', schema: schemas.int64, isKey: true },
      { name: 'o"dd', schema: schemas.optional.string, isKey: false },
      { name: 'price', schema: withOptions(decimalSchema(2), { default: new Decimal(150n, 2) }), isKey: false },
      { name: 'note', schema: withOptions(schemas.string, { default: "it's \\ here" }), isKey: false },
      { name: 'tags', schema: arrayOf(schemas.int32), isKey: false },
      { name: 'at', schema: schemas.int64, isKey: false },
    ]
    expect(createTable('"t"', columns, ddl).split('\n')).toEqual([
      'CREATE TABLE "t" (',
      '"id" BIGINT NOT NULL,',
      '"o""dd" TEXT NULL,',
      '"price" DECIMAL DEFAULT \'1.50\',',
      "\"note\" TEXT DEFAULT  E'it''s \\\\ here',",
      '"tags" INT[] NOT NULL,',
      '"at" TIMESTAMP NOT NULL,',
      'PRIMARY KEY("id"))',
    ])
  })
  test('ALTER TABLE adds several columns at once', () => {
    const columns = ['a', 'b'].map((name) => ({ name, schema: schemas.optional.boolean, isKey: false }))
    expect(addColumns('"t"', columns, ddl)).toBe('ALTER TABLE "t" ADD "a" BOOLEAN NULL, ADD "b" BOOLEAN NULL')
  })
  test('a literal ends where it should', () => {
    expect(literal("x'); DROP TABLE t; --")).toBe("'x''); DROP TABLE t; --'")
    expect(literal("\\'; DROP")).toBe(" E'\\\\''; DROP'")
  })
})

describe('binding', () => {
  const berlin = { ...bind, zone: zoneOf('Europe/Berlin'), dateZone: zoneOf('Europe/Berlin') }
  const written = (
    schema: Schema,
    value: unknown,
    type = 'x',
    options: typeof bind | typeof berlin = bind,
    name = 'f',
  ) => binderOf(name, schema, type, options)(value)

  test.each([
    [schemas.int64, 9_223_372_036_854_775_807n, '9223372036854775807'],
    [schemas.float64, 1e300, '1e+300'],
    [schemas.float64, Number.NaN, 'NaN'],
    [schemas.boolean, true, 'true'],
    [schemas.bytes, new Uint8Array([0, 255]), '\\x00ff'],
    [decimalSchema(3), new Decimal(-12_345n, 3), '-12.345'],
    [timestampSchema(), new Date(1_700_000_000_123), '2023-11-14 22:13:20.123+00'],
    [timeSchema(), 3_723_004, '01:02:03.004'],
    [dateSchema(), new Date(Date.UTC(2024, 1, 29)), '2024-02-29'],
    [arrayOf(schemas.optional.string), ['a"b', null, ''], '{"a\\"b",NULL,""}'],
    [
      arrayOf(arrayOf(schemas.int32)),
      [
        [1, 2],
        [3, 4],
      ],
      '{{"1","2"},{"3","4"}}',
    ],
  ])('%# %o', (schema, value, text) => expect(written(schema as never, value)).toBe(text))

  test('db.timezone moves the wall clock of timestamps, and of dates unless date.timezone=UTC', () => {
    expect(written(timestampSchema() as never, new Date(0), 'x', berlin)).toBe('1970-01-01 01:00:00+01:00')
    expect(written(timeSchema() as never, 0, 'x', berlin)).toBe('01:00:00')
    const newYork = { ...bind, dateZone: zoneOf('America/New_York') }
    expect(written(dateSchema() as never, new Date(0), 'x', newYork)).toBe('1969-12-31')
  })
  test('listed fields are times since the epoch, in microseconds or nanoseconds', () => {
    expect(written(schemas.int64 as never, 1_700_000_000_123_456n, 'x', bind, 'at')).toBe(
      '2023-11-14 22:13:20.123456+00',
    )
    expect(written(schemas.string as never, '1700000000123456', 'x', bind, 'at')).toBe('2023-11-14 22:13:20.123456+00')
  })
  test.each([
    [
      'io.debezium.time.MicroTimestamp',
      schemas.int64,
      1_700_000_000_123_456n,
      'timestamp without time zone',
      '2023-11-14 22:13:20.123456+00',
    ],
    ['io.debezium.time.MicroTimestamp', schemas.int64, 5n, 'bigint', 5],
    ['io.debezium.time.Date', schemas.int32, 19_782, 'date', '2024-02-29'],
    ['io.debezium.time.MicroTime', schemas.int64, 3_723_000_004n, 'time without time zone', '01:02:03.000004'],
    [
      'io.debezium.time.ZonedTimestamp',
      schemas.string,
      '2024-01-01T00:00:00.1Z',
      'timestamp with time zone',
      '2024-01-01T00:00:00.1Z',
    ],
    ['io.debezium.data.Bits', schemas.bytes, new Uint8Array([0b101, 1]), 'bit varying', '0000000100000101'],
  ] as const)('%s in a column of its kind', (name, schema, value, type, text) => {
    expect(written(withOptions(schema, { name }) as never, value, type)).toBe(text)
  })
  test('a value that is not of its schema is refused by the name of the field', () => {
    expect(() => written(schemas.string as never, 5, 'x', bind, 'city')).toThrow(/city/)
  })
  test.each([
    [schemas.int64, 'bigint', 'bigint'],
    [schemas.int32, 'bigint', 'bigint'],
    [schemas.int64, 'integer', 'bare'],
    [schemas.float64, 'double precision', 'double precision'],
    [schemas.float64, 'real', 'bare'],
    [schemas.boolean, 'boolean', 'bare'],
    [schemas.string, 'character varying', 'character varying'],
    [schemas.string, 'json', 'quoted'],
    [schemas.bytes, 'bytea', 'bytea'],
    [timestampSchema(), 'bigint', 'quoted'],
    [withOptions(schemas.int64, { name: 'io.debezium.time.MicroTimestamp' }), 'timestamp without time zone', 'quoted'],
  ])('%# %o for a column of %s travels as %s', (schema, type, form) => {
    expect(formOf('f', schema as never, type, bind)).toBe(form)
  })
  test('times since the epoch travel as text, whatever their schema', () => {
    expect(formOf('at', schemas.int64 as never, 'bigint', bind)).toBe('quoted')
  })
  test.each([
    [schemas.int64, 'bigint', 2n ** 53n - 1n, 2 ** 53 - 1],
    [schemas.int64, 'bigint', 2n ** 53n, 2n ** 53n],
    [schemas.int64, 'bigint', -(2n ** 63n), -(2n ** 63n)],
    [schemas.int64, 'bigint', 2n ** 63n - 1n, 2n ** 63n - 1n],
    [schemas.int64, 'bigint', 2 ** 60, 2n ** 60n],
    [schemas.int16, 'smallint', -(2 ** 15), -(2 ** 15)],
  ])('%# integers are numbers where no digit is lost', (schema, type, value, bound) => {
    expect(written(schema as never, value, type)).toBe(bound)
  })
  test.each([
    [schemas.int64, 'bigint', 2n ** 63n],
    [schemas.int64, 'bigint', -(2n ** 63n) - 1n],
    [schemas.int64, 'bigint', 0.5],
    [schemas.int32, 'integer', 2 ** 31],
    [schemas.int16, 'smallint', 2 ** 15],
    [schemas.float64, 'double precision', '1'],
    [schemas.float32, 'real', 1e39],
    [schemas.float32, 'real', 1e-60],
    [schemas.bytes, 'bytea', 'x'],
  ])('%# what does not fit is refused', (schema, type, value) => {
    expect(() => written(schema as never, value, type, bind, 'city')).toThrow(/city/)
  })
})

describe('reading', () => {
  const plan = (
    typeId: number,
    typeModifier = -1,
    fact: Partial<{ nullable: boolean; typeKind: string; typeName: string }> = {},
    options = {},
  ) =>
    planReaders(
      [{ name: 'c', typeId, typeModifier, tableId: 1, columnNumber: 1 }],
      [{ nullable: false, typeKind: 'b', typeName: 't', ...fact }],
      { numericMapping: 'none', granularity: 'connect_logical', zone: utc, calendar: 'LEGACY', ...options },
    )
  const numeric = (precision: number, scale: number) => ((precision << 16) | (scale & 0x7ff)) + 4

  test.each([
    [16, -1, 'BOOLEAN', 't', true],
    [21, -1, 'INT16', '-5', -5],
    [23, -1, 'INT32', '7', 7],
    [20, -1, 'INT64', '9223372036854775807', 9_223_372_036_854_775_807n],
    [700, -1, 'FLOAT32', '0.1', Math.fround(0.1)],
    [701, -1, 'FLOAT64', 'Infinity', Number.POSITIVE_INFINITY],
    [790, -1, 'FLOAT64', '-$1,234.50', -1234.5],
    [17, -1, 'BYTES', '\\x00ff', Buffer.from([0, 255])],
    [1560, 1, 'BOOLEAN', '1', true],
    [1560, 8, 'INT8', '11111111', -1],
    [1560, 12, 'BYTES', '100000000001', new Uint8Array([0x80, 0x10])],
    [3802, -1, 'STRING', '{"a": 1}', '{"a": 1}'],
    [1082, -1, 'INT32', '2024-02-29', new Date(Date.UTC(2024, 1, 29))],
    [1083, -1, 'INT32', '01:02:03.004', 3_723_004],
    [1184, -1, 'INT64', '2024-01-01 00:00:00.5+00', new Date(Date.UTC(2024, 0, 1, 0, 0, 0, 500))],
    [1700, numeric(10, 2), 'BYTES', '12.50', new Decimal(1250n, 2)],
  ])('type %i(%i) is %s', (typeId, modifier, type, text, value) => {
    const reader = plan(typeId, modifier).readers[0]
    expect(reader?.schema.type).toBe(type)
    expect(reader?.read(text)).toEqual(value)
  })

  test('a Decimal carries precision and scale; one that was declared without keeps every digit', () => {
    expect(plan(1700, numeric(10, 2)).readers[0]?.schema.parameters).toEqual({
      scale: '2',
      'connect.decimal.precision': '10',
    })
    const reader = plan(1700, -1, {}, { numericMapping: 'best_fit' }).readers[0]
    expect(String(reader?.read('1.23456789012345678901234567890'))).toMatch(/^1\.23456789012345678901234567890+$/)
    expect(() => reader?.read('NaN')).toThrow(RangeError)
  })
  test('an enum is text; arrays and types without a schema are dropped by name', () => {
    expect(plan(99_999, -1, { typeKind: 'e' }).readers[0]?.schema.type).toBe('STRING')
    expect(plan(1007, -1, { typeKind: 'A', typeName: '_int4' })).toEqual({
      readers: [],
      dropped: [{ name: 'c', type: '_int4' }],
    })
    expect(plan(869, -1, { typeName: 'inet' }).dropped).toEqual([{ name: 'c', type: 'inet' }])
  })
  test('a nullable column is optional', () => {
    expect(plan(23, -1, { nullable: true }).readers[0]?.schema.optional).toBe(true)
    expect(plan(23).readers[0]?.schema.optional).toBe(false)
  })
  test.each([
    ['micros_long', 'INT64', 1_704_067_200_123_456n],
    ['micros_string', 'STRING', '1704067200123456'],
    ['micros_iso_datetime_string', 'STRING', '2024-01-01T00:00:00.123456'],
    ['nanos_long', 'INT64', 1_704_067_200_123_456_000n],
    ['nanos_string', 'STRING', '1704067200123456000'],
    ['nanos_iso_datetime_string', 'STRING', '2024-01-01T00:00:00.123456000'],
  ])('timestamp.granularity=%s', (granularity, type, value) => {
    const reader = plan(1114, -1, {}, { granularity }).readers[0]
    expect(reader?.schema.type).toBe(type)
    expect(reader?.read('2024-01-01 00:00:00.123456')).toBe(value)
  })
})

describe('configuration', () => {
  const issuesOf = (config: typeof sourceConfig | typeof sinkConfig, raw: Record<string, string>): string[] =>
    parseConfig(config as typeof sourceConfig, {
      'connection.url': 'jdbc:postgresql://h/d',
      mode: 'bulk',
      ...raw,
    }).issues.map(({ key }) => key)

  test.each([
    [{ mode: 'fast' }, 'mode'],
    [{ 'connection.url': 'jdbc:oracle:thin:@h' }, 'connection.url'],
    [{ 'jdbc.credentials.provider.class': 'com.example.Vault' }, 'jdbc.credentials.provider.class'],
    [{ 'transaction.isolation.mode': 'SQL_SERVER_SNAPSHOT' }, 'transaction.isolation.mode'],
    [{ 'topic.prefix': 'a b' }, 'topic.prefix'],
    [{ 'topic.prefix': 'x'.repeat(250) }, 'topic.prefix'],
    [{ 'table.whitelist': 'a', 'table.blacklist': 'b' }, 'table.whitelist'],
    [{ 'table.exclude.list': 'a' }, 'table.exclude.list'],
    [{ 'table.include.list': '(' }, 'table.include.list'],
    [{ query: 'select 1', 'table.whitelist': 'a' }, 'query'],
    [{ 'db.timezone': 'Nowhere' }, 'db.timezone'],
    [{ 'table.types': 'TABLES' }, 'table.types'],
    [{ 'dialect.name': 'MySqlDatabaseDialect' }, 'dialect.name'],
    [{ 'batch.max.rows': '0' }, 'batch.max.rows'],
  ])('the source refuses %j by name', (raw, key) => expect(issuesOf(sourceConfig, raw)).toContain(key))

  test.each([
    [{ 'insert.mode': 'upsert' }, 'insert.mode'],
    [{ 'delete.enabled': 'true' }, 'delete.enabled'],
    [{ 'pk.mode': 'kafka', 'pk.fields': 'a,b' }, 'pk.fields'],
    [{ 'envelope.unwrap': 'maxwell' }, 'envelope.unwrap'],
    [{ 'topics.to.tables.mapping': 'a' }, 'topics.to.tables.mapping'],
    [{ 'connection.url': '' }, 'connection.url'],
  ])('the sink refuses %j by name', (raw, key) => expect(issuesOf(sinkConfig, raw)).toContain(key))

  const properties = (query: string, raw: Record<string, string> = {}) => {
    const all = { 'connection.url': `jdbc:postgresql://h/d?${query}`, mode: 'bulk', ...raw }
    return driverProperties(connectionSettings(parseConfig(sourceConfig, all).values, all))
  }

  test('driver properties are honoured', () => {
    const found = properties(
      'user=u&password=p&ApplicationName=app&connectTimeout=3&socketTimeout=7&currentSchema=a&sslmode=disable',
    )
    expect(found).toMatchObject({
      sslMode: 'disable',
      searchPath: 'a',
      client: {
        user: 'u',
        password: 'p',
        application_name: 'app',
        connectionTimeoutMillis: 3000,
        query_timeout: 7000,
        database: 'd',
      },
    })
  })
  test('keys of the config win over the URL', () => {
    expect(properties('user=u', { 'connection.user': 'me', 'connection.sslmode': 'require' })).toMatchObject({
      sslMode: 'require',
      client: { user: 'me' },
    })
  })
  test.each([
    ['', 'prefer'],
    ['ssl=true', 'verify-full'],
    ['ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory', 'require'],
    ['ssl=false', 'prefer'],
  ])('%s means sslmode=%s', (query, mode) => expect(properties(query).sslMode).toBe(mode))
  test.each([
    'socketFactory=x',
    'kerberosServerName=x',
    'sslmode=maybe',
    'targetServerType=x',
    'gssEncMode=require',
    'connectTimeout=-1',
  ])('%s is refused by name', (query) => expect(() => properties(query)).toThrow(query.split('=')[0]))
})

describe('failures', () => {
  const failure = (code: string) => Object.assign(new Error('x'), { code, severity: 'ERROR' })
  test.each([
    ['40P01', 'transient'],
    ['57P01', 'transient'],
    ['23503', 'transient'],
    ['23505', 'data'],
    ['22P02', 'data'],
    ['42P01', 'missing'],
    ['42601', 'permanent'],
    ['28P01', 'permanent'],
  ])('SQLSTATE %s is %s', (code, kind) => expect(failureKind(failure(code))).toBe(kind))
  test('values of the row are left out where that is asked', () => {
    const error = Object.assign(failure('22P02'), {
      message: 'invalid input syntax for type integer: "4711"',
      detail: 'Failing row contains (4711).',
      hint: 'Write a number.',
    })
    expect(describeFailure(error, true)).toMatch(/"4711" \(SQLSTATE 22P02\): Failing row contains \(4711\)/)
    expect(describeFailure(error, false)).toBe(
      'invalid input syntax for type integer (SQLSTATE 22P02): Write a number.',
    )
  })
  test('a refused connection is transient', () => {
    expect(failureKind(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))).toBe('transient')
  })
})
