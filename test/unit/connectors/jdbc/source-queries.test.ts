import type { SourceRecord } from '@millrace/sdk'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildCriteria } from '../../../../connectors/jdbc/criteria.ts'
import type { Dialect } from '../../../../connectors/jdbc/dialect.ts'
import { numericTarget } from '../../../../connectors/jdbc/numeric-mapping.ts'
import { offsetOf, positionOf, START } from '../../../../connectors/jdbc/offset.ts'
import { postgresDialect } from '../../../../connectors/jdbc/postgres/dialect.ts'
import { planReaders } from '../../../../connectors/jdbc/postgres/readers.ts'
import { Querier } from '../../../../connectors/jdbc/querier.ts'
import type { SqlConnection, SqlStatement } from '../../../../connectors/jdbc/sql.ts'
import { instantOfMs } from '../../../../connectors/jdbc/temporal.ts'
import { utc } from '../../../../connectors/jdbc/zone.ts'
import '../../property-settings.ts'

const dollar = (index: number): string => `$${index}`
const bounds = { incrementing: '7', begin: 'B', end: 'E' }

describe('the condition of a query', () => {
  test('is empty for a whole table', () => {
    expect(buildCriteria({ incrementing: undefined, timestamps: [] }, bounds, dollar)).toEqual({ text: '', values: [] })
  })
  test('incrementing', () => {
    expect(buildCriteria({ incrementing: '"id"', timestamps: [] }, bounds, dollar)).toEqual({
      text: ' WHERE "id" > $1 ORDER BY "id" ASC',
      values: ['7'],
    })
  })
  test('timestamp takes the first of several columns that is not null', () => {
    expect(buildCriteria({ incrementing: undefined, timestamps: ['"a"', '"b"'] }, bounds, dollar)).toEqual({
      text: ' WHERE COALESCE("a","b") > $1 AND COALESCE("a","b") < $2 ORDER BY COALESCE("a","b") ASC',
      values: ['B', 'E'],
    })
  })
  test('timestamp and incrementing', () => {
    expect(buildCriteria({ incrementing: '"id"', timestamps: ['"t"'] }, bounds, dollar)).toEqual({
      text: ' WHERE "t" < $1 AND "t" >= $2 AND (("t" = $2 AND "id" > $3) OR "t" > $2) ORDER BY "t","id" ASC',
      values: ['E', 'B', '7'],
    })
  })
})

describe('offsets', () => {
  test("have Kafka Connect's form and keep nanoseconds", () => {
    const position = { incrementing: 123n, timestamp: { ms: 1_700_000_000_123, nanos: 123_456_000 } }
    expect(offsetOf(position)).toEqual({
      incrementing: 123,
      timestamp: 1_700_000_000_123,
      timestamp_nanos: 123_456_000,
    })
    expect(positionOf(offsetOf(position))).toEqual(position)
  })
  test('numbers beyond 2^53 stay exact', () => {
    expect(offsetOf({ incrementing: 9_223_372_036_854_775_807n, timestamp: undefined })).toEqual({
      incrementing: 9_223_372_036_854_775_807n,
    })
  })
  test('of old versions have no nanoseconds', () => {
    expect(positionOf({ timestamp: 1_700_000_000_123 }).timestamp).toEqual(instantOfMs(1_700_000_000_123))
    expect(positionOf({})).toEqual(START)
    expect(positionOf(null)).toEqual(START)
  })
  test('of something else are refused', () => {
    expect(() => positionOf({ incrementing: 'x' })).toThrow(/incrementing="x"/)
  })
})

/** A dialect over rows in memory: the rows are what the query finds. */
function fakeDialect(rows: readonly (readonly string[])[], statements: SqlStatement[] = []): Dialect {
  const columns = [
    { name: 'ts', typeId: 1114, typeModifier: -1, tableId: 1, columnNumber: 1 },
    { name: 'id', typeId: 20, typeModifier: -1, tableId: 1, columnNumber: 2 },
  ]
  return {
    ...postgresDialect,
    databaseTime: async () => instantOfMs(Date.UTC(2030, 0)),
    async openCursor(_, statement) {
      statements.push(statement)
      let at = 0
      return {
        async fetch(limit) {
          const portion = rows.slice(at, at + limit)
          at += portion.length
          return { columns, rows: portion, affected: portion.length, command: 'FETCH' }
        },
        async close() {},
      }
    },
    readers: async (_, found, options) =>
      planReaders(
        found as typeof columns,
        found.map(() => ({ nullable: false, typeKind: 'b', typeName: 'x' })),
        options,
      ),
  }
}

function querier(dialect: Dialect, withId: boolean, delayMs = 0): Querier {
  return new Querier(
    {
      label: 't',
      select: 'SELECT * FROM "t"',
      suffix: '',
      topic: 't',
      schemaName: 't',
      partition: { protocol: '1', table: 'public.t' },
      columns: { incrementing: withId ? 'id' : undefined, timestamps: ['ts'] },
    },
    {
      dialect,
      read: { numericMapping: 'none', granularity: 'connect_logical', zone: utc, calendar: 'LEGACY' },
      quoting: 'always',
      isolation: undefined,
      delayMs,
      awaitsTransactions: false,
      portionRows: 1000,
      incrementingStart: -1n,
      warn: () => undefined,
    },
    START,
  )
}

const connection = { broken: false } as SqlConnection

async function readAll(q: Querier, batch: number): Promise<SourceRecord[]> {
  const records: SourceRecord[] = []
  do records.push(...(await q.next(connection, batch)))
  while (q.isOpen)
  return records
}

describe('the mode timestamp', () => {
  test('keeps the offset before a group of equal timestamps until its last row, whatever the batch size', async () => {
    const seconds = fc
      .array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 })
      .map((list) => list.sort((a, b) => a - b))
    await fc.assert(
      fc.asyncProperty(seconds, fc.integer({ min: 1, max: 8 }), async (list, batch) => {
        const rows = list.map((second, id) => [`2024-01-01 00:00:0${second}`, String(id)])
        const records = await readAll(querier(fakeDialect(rows), false), batch)
        expect(records.map((record) => (record.value as { id: bigint }).id)).toEqual(list.map((_, id) => BigInt(id)))
        records.forEach((record, at) => {
          const isLastOfGroup = list[at] !== list[at + 1]
          const offset = list.slice(0, at + 1).findLast((second) => isLastOfGroup || second !== list[at])
          const expected =
            offset === undefined ? {} : { timestamp: Date.UTC(2024, 0, 1, 0, 0, offset), timestamp_nanos: 0 }
          expect(record.sourceOffset).toEqual(expected)
        })
      }),
    )
  })

  test('goes on behind the last group in the next query', async () => {
    const statements: SqlStatement[] = []
    const q = querier(fakeDialect([['2024-01-01 00:00:01.000001', '1']], statements), false, 250)
    await readAll(q, 10)
    await readAll(q, 10)
    expect(statements.map(({ values }) => values)).toEqual([
      ['1970-01-01 00:00:00+00', '2029-12-31 23:59:59.75+00'],
      ['2024-01-01 00:00:01.000001+00', '2029-12-31 23:59:59.75+00'],
    ])
  })
})

test('large rows make small batches', async () => {
  const rows = Array.from({ length: 300 }, (_, id) => ['2024-01-01 00:00:01', String(id), 'x'.repeat(200_000)])
  const q = querier(fakeDialect(rows), true)
  const sizes: number[] = []
  do sizes.push((await q.next(connection, 1000)).length)
  while (q.isOpen)
  expect(sizes.reduce((sum, size) => sum + size)).toBe(300)
  expect(sizes[0]).toBe(100)
  expect(Math.max(...sizes.slice(1))).toBeLessThanOrEqual(42)
})

describe('the mode timestamp+incrementing', () => {
  test('moves with each row', async () => {
    const rows = [
      ['2024-01-01 00:00:01', '1'],
      ['2024-01-01 00:00:01', '2'],
    ]
    const records = await readAll(querier(fakeDialect(rows), true), 1)
    const timestamp = Date.UTC(2024, 0, 1, 0, 0, 1)
    expect(records.map((record) => record.sourceOffset)).toEqual([
      { incrementing: 1, timestamp, timestamp_nanos: 0 },
      { incrementing: 2, timestamp, timestamp_nanos: 0 },
    ])
  })

  test('a query that broke off starts again behind the last record given out', async () => {
    const statements: SqlStatement[] = []
    const rows = [
      ['2024-01-01 00:00:01', '1'],
      ['2024-01-01 00:00:02', '2'],
    ]
    const q = querier(fakeDialect(rows, statements), true)
    await q.next(connection, 1)
    q.reset()
    await q.next(connection, 1)
    expect(statements[1]?.values?.slice(1)).toEqual(['2024-01-01 00:00:01+00', '1'])
  })
})

describe('numeric.mapping', () => {
  test.each([
    ['none', 5, 0, 'decimal'],
    ['precision_only', 2, 0, 'int8'],
    ['precision_only', 4, 0, 'int16'],
    ['precision_only', 9, 0, 'int32'],
    ['precision_only', 18, 0, 'int64'],
    ['precision_only', 19, 0, 'decimal'],
    ['precision_only', 5, 2, 'decimal'],
    ['best_fit', 9, 0, 'int32'],
    ['best_fit', 10, 2, 'float64'],
    ['best_fit', 19, 2, 'decimal'],
    ['best_fit', 3, -2, 'int32'],
    ['best_fit', 3, -30, 'decimal'],
    ['best_fit_eager_double', 30, 2, 'float64'],
    ['best_fit_eager_double', 30, 0, 'decimal'],
  ] as const)('%s of numeric(%i,%i) is %s', (mapping, precision, scale, target) => {
    expect(numericTarget(mapping, precision, scale)).toBe(target)
  })
})

describe('the portion behind the one that is given out', () => {
  const rows = Array.from({ length: 30 }, (_, id) => ['2024-01-01 00:00:01', String(id)])

  /** Notes the limits of all fetches; the one with that number fails. */
  function watched(limits: number[], statements: SqlStatement[] = [], failing = -1): Dialect {
    const dialect = fakeDialect(rows, statements)
    return {
      ...dialect,
      async openCursor(...args) {
        const cursor = await dialect.openCursor(...args)
        return {
          async fetch(limit) {
            if (limits.push(limit) === failing) throw new Error('the server is gone')
            return cursor.fetch(limit)
          },
          close: () => cursor.close(),
        }
      },
    }
  }

  test('is asked for already, and no batch has more rows than it may', async () => {
    const limits: number[] = []
    const q = querier(watched(limits), true)
    expect(await q.next(connection, 10)).toHaveLength(10)
    expect(limits).toEqual([10, 10])
    expect(await q.next(connection, 10)).toHaveLength(10)
    expect(limits).toEqual([10, 10, 10])
    expect(await readAll(q, 10)).toHaveLength(10)
    expect(limits).toEqual([10, 10, 10, 10])
  })

  test('fails when it is wanted, and is read again from behind the last record', async () => {
    const statements: SqlStatement[] = []
    const q = querier(watched([], statements, 2), true)
    const first = await q.next(connection, 10)
    expect(first).toHaveLength(10)
    await expect(q.next(connection, 10)).rejects.toThrow('the server is gone')
    q.reset()
    await q.next(connection, 10)
    expect(statements.map(({ values }) => values?.at(-1))).toEqual(['-1', '9'])
  })
})
