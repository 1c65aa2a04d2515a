import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseConfigKeys } from '@millrace/sdk'
import { literalOf } from '../../../../connectors/postgres-cdc/column-default.ts'
import { settingsWithoutEffect, unsupportedSettings } from '../../../../connectors/postgres-cdc/debezium-settings.ts'
import { makeFilters, parseKeyColumns, splitList } from '../../../../connectors/postgres-cdc/filters.ts'
import {
  formatLsn,
  parseLsn,
  readLsn,
  readTimestamp,
  writeLsn,
  writeTimestamp,
} from '../../../../connectors/postgres-cdc/lsn.ts'
import {
  completePosition,
  confirmableLsn,
  readOffset,
  snapshotOffset,
  streamOffset,
} from '../../../../connectors/postgres-cdc/positions.ts'
import { RecordQueue } from '../../../../connectors/postgres-cdc/record-queue.ts'
import { planStart } from '../../../../connectors/postgres-cdc/start-plan.ts'
import { sanitizeTopic, topicNames } from '../../../../connectors/postgres-cdc/topic-names.ts'
import connector from '../../../../connectors/postgres-cdc/source.ts'
import type { SlotState } from '../../../../connectors/postgres-cdc/slot.ts'
import { civilFromDays, daysFromCivil } from '../../../../connectors/postgres-cdc/types/calendar.ts'
import { noFilters } from './fixtures.ts'
import '../../property-settings.ts'

describe('WAL positions', () => {
  test('text and bytes go both ways', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 52 }), (lsn) => {
        const bytes = Buffer.alloc(8)
        writeLsn(bytes, lsn, 0)
        expect([parseLsn(formatLsn(lsn)), readLsn(bytes, 0)]).toEqual([lsn, lsn])
      }),
    )
    expect(parseLsn('16/B374D848')).toBe(97_500_059_720)
    expect(formatLsn(97_500_059_720)).toBe('16/B374D848')
    expect(() => parseLsn('16-1')).toThrow('not a WAL position')
  })

  test('times count from the year 2000', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e15, max: 4e15 }), (micros) => {
        const bytes = Buffer.alloc(8)
        writeTimestamp(bytes, micros, 0)
        expect(readTimestamp(bytes, 0)).toBe(micros)
      }),
    )
    expect(readTimestamp(Buffer.alloc(8), 0)).toBe(Date.UTC(2000, 0, 1) * 1000)
  })

  test('days and dates go both ways and agree with Date', () => {
    fc.assert(
      fc.property(fc.integer({ min: -3_000_000, max: 3_000_000 }), (days) => {
        const { year, month, day } = civilFromDays(days)
        expect(daysFromCivil(year, month, day)).toBe(days)
        const date = new Date(days * 86_400_000)
        expect([year, month, day]).toEqual([date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()])
      }),
    )
  })
})

describe('filters', () => {
  test('lists are anchored, case-insensitive regular expressions; a comma can be escaped', () => {
    const filters = makeFilters({
      ...noFilters,
      schemaExclude: 'audit.*',
      tableInclude: 'PUBLIC.orders, public.x{1\\,2}',
      columnExclude: 'public.orders.card',
      messageInclude: 'note',
    })
    const tables = ['public.orders', 'public.orders2', 'public.xx', 'public.xxx', 'audit_1.orders']
    expect(tables.map((name) => filters.table(...(name.split('.') as [string, string])))).toEqual([
      true,
      false,
      true,
      false,
      false,
    ])
    expect([filters.column('public', 'orders', 'card'), filters.column('public', 'orders', 'id')]).toEqual([
      false,
      true,
    ])
    expect([filters.messagePrefix('note'), filters.messagePrefix('notes')]).toEqual([true, false])
    expect(makeFilters(noFilters).table('pg_catalog', 'pg_class')).toBe(false)
    expect(splitList(' a , b\\,c ,')).toEqual(['a', 'b,c'])
  })

  test('message.key.columns names tables and columns', () => {
    const [first, second] = parseKeyColumns('inv.customers:pk1,pk2;(.*).orders:pk3')
    expect([first?.columns, first?.table.test('INV.customers')]).toEqual([['pk1', 'pk2'], true])
    expect([second?.columns, second?.table.test('any.orders')]).toEqual([['pk3'], true])
    expect(() => parseKeyColumns('inv.customers')).toThrow('is not of the form')
  })

  test('topics have legal names', () => {
    const topics = topicNames({ prefix: 's', delimiter: '.', heartbeatPrefix: '__beat' })
    expect(topics.data('s1', 'dbz_878_some|test@data')).toBe('s.s1.dbz_878_some_test_data')
    expect([topics.heartbeat, topics.message]).toEqual(['__beat.s', 's.message'])
    expect([sanitizeTopic('..'), sanitizeTopic('x'.repeat(300)).length]).toEqual(['__', 249])
  })
})

test.each([
  ['5', '5'],
  ["'-3'::integer", '-3'],
  ['(-3)', '-3'],
  ["'it''s'::text", "it's"],
  ["'ok'::inv.mood", 'ok'],
  ['B\'101\'::"bit"', '101'],
  ["'2020-01-02 03:04:05'::timestamp without time zone", '2020-01-02 03:04:05'],
  ['true', 't'],
  ['NULL::character varying', null],
  ['now()', undefined],
  ["nextval('a_id_seq'::regclass)", undefined],
  ["('a'::text || 'b'::text)", undefined],
  ['CURRENT_DATE', undefined],
])('the default %s is %s', (expression, expected) => {
  expect(literalOf(expression)).toBe(expected)
})

describe('offsets', () => {
  const details = { lsn: 50, xid: 7, micros: 1, messageType: 'INSERT' }

  test('a streamed offset gives its position back', () => {
    for (const position of [completePosition(90), { endLsn: 40, xid: 7, changes: 2, records: 1 }]) {
      expect(readOffset(streamOffset(position, details))).toEqual({ kind: 'stream', position })
    }
    expect(confirmableLsn(streamOffset(completePosition(90), details))).toBe(90)
  })

  test('a snapshot is finished with its last row', () => {
    expect(readOffset(snapshotOffset(details, false))).toEqual({ kind: 'snapshot-unfinished' })
    expect(readOffset(snapshotOffset(details, true))).toEqual({ kind: 'stream', position: completePosition(50) })
    expect(confirmableLsn(snapshotOffset(details, true))).toBeUndefined()
    expect(readOffset(null)).toEqual({ kind: 'none' })
    expect(() => readOffset({ other: 1 })).toThrow('no WAL position')
  })

  test('an offset of Debezium within a transaction skips what it emitted', () => {
    const offset = { lsn_proc: 60, lsn_commit: 40, lsn: 60, txId: 9, lsn_events_processed: 2, messageType: 'INSERT' }
    expect(readOffset(offset)).toEqual({
      kind: 'stream',
      position: { endLsn: 40, xid: 9, changes: 2, records: 0, skipToLsn: 60 },
    })
    expect(readOffset({ ...offset, lsn_commit: 70, messageType: 'COMMIT' })).toEqual({
      kind: 'stream',
      position: completePosition(70),
    })
  })
})

describe('the first step of a task', () => {
  const slot = (more: Partial<SlotState> = {}): SlotState => ({
    plugin: 'pgoutput',
    slotType: 'logical',
    database: 'd',
    activePid: undefined,
    activeClient: undefined,
    activeApplication: undefined,
    confirmedLsn: 100,
    walStatus: 'reserved',
    ...more,
  })
  const stream = (lsn: number) => ({ kind: 'stream', position: completePosition(lsn) }) as const
  const plan = (
    mode: 'initial' | 'initial_only' | 'no_data' | 'always' | 'when_needed',
    stored: Parameters<typeof planStart>[1],
    state: SlotState | undefined,
    isFirst = true,
  ): string =>
    planStart(
      { 'snapshot.mode': mode, 'slot.name': 's', 'offset.mismatch.strategy': 'no_validation' },
      stored,
      state,
      isFirst,
    ).kind

  test.each([
    ['initial', 'snapshot', 'snapshot', 'stream', 'error'],
    ['initial_only', 'snapshot', 'snapshot', 'finished', 'finished'],
    ['no_data', 'stream-from-slot', 'stream-from-slot', 'stream', 'error'],
    ['always', 'snapshot', 'snapshot', 'snapshot', 'snapshot'],
    ['when_needed', 'snapshot', 'snapshot', 'stream', 'snapshot'],
  ] as const)('%s', (mode, none, unfinished, finished, lost) => {
    expect(plan(mode, { kind: 'none' }, undefined)).toBe(none)
    expect(plan(mode, { kind: 'snapshot-unfinished' }, slot())).toBe(unfinished)
    expect(plan(mode, stream(100), slot())).toBe(finished)
    for (const state of [undefined, slot({ walStatus: 'lost' }), slot({ confirmedLsn: 101 })]) {
      expect(plan(mode, stream(100), state)).toBe(lost)
    }
  })

  test('always takes no second snapshot when the connection comes back', () => {
    expect(plan('always', stream(100), slot(), false)).toBe('stream')
  })
})

describe('the queue', () => {
  const item = (id: number) => ({ topic: null, sourcePartition: {}, sourceOffset: { id } })

  test('keeps the order, tells when it is full and when there is room', () => {
    const queue = new RecordQueue(3, 1000)
    let room = 0
    queue.onRoom = () => void room++
    for (const id of [1, 2]) queue.push(item(id), 10)
    expect(queue.isFull).toBe(false)
    queue.push(item(3), 10)
    expect(queue.isFull).toBe(true)
    expect(queue.take(2)).toEqual([item(1), item(2)])
    expect([room, queue.length]).toEqual([1, 1])
    queue.push(item(4), 2000)
    expect(queue.isFull).toBe(true)
    expect(queue.take(10)).toEqual([item(3), item(4)])
    expect([room, queue.isFull, queue.take(1)]).toEqual([2, false, []])
  })

  test('gives what waits before an error or the end', () => {
    const failing = new RecordQueue(3, 1000)
    failing.push(item(1), 1)
    failing.fail(new Error('broken'))
    expect(failing.take(5)).toEqual([item(1)])
    expect(() => failing.take(5)).toThrow('broken')
    const ending = new RecordQueue(3, 1000)
    ending.push(item(1), 1)
    ending.finish()
    expect([ending.take(5), ending.take(5)]).toEqual([[item(1)], 'finished'])
  })

  test('random pushes and takes agree with a plain list', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 })), (steps) => {
        const queue = new RecordQueue(1000, 1e9)
        const model: unknown[] = []
        let id = 0
        for (const step of steps) {
          if (step > 0) {
            for (let count = 0; count < step; count++) {
              queue.push(item(++id), 1)
              model.push(item(id))
            }
          } else expect(queue.take(-step)).toEqual(model.splice(0, -step))
        }
        expect(queue.length).toBe(model.length)
      }),
    )
  })
})

describe('settings', () => {
  test('what is not supported is refused by name; defaults of Debezium are accepted', () => {
    const refused = unsupportedSettings({
      'provide.transaction.metadata': 'false',
      'snapshot.locking.mode': 'none',
      'signal.data.collection': 'public.signals',
      'column.truncate.to.5.chars': 'a.b.c',
      'lsn.flush.mode': 'manual',
      'topic.prefix': 'x',
    })
    expect(refused.map(({ key }) => key)).toEqual([
      'signal.data.collection',
      'column.truncate.to.5.chars',
      'lsn.flush.mode',
    ])
  })

  // What the ConfigDef of Debezium 3.7.0 and the fields behind it have, with their defaults.
  const options = Object.entries(
    JSON.parse(readFileSync(new URL('debezium-options.json', import.meta.url), 'utf8')) as Record<
      string,
      string | null
    >,
  )

  test('every option of Debezium is supported, refused by name, or known to have no effect', () => {
    expect(options.length).toBeGreaterThan(150)
    const ignored = options
      .map(([key]) => key)
      .filter((key) => !Object.hasOwn(connector.config, key))
      .filter((key) => unsupportedSettings({ [key]: 'something else' }).length === 0)
      .filter((key) => settingsWithoutEffect({ [key]: 'something else' }).length === 0)
    expect(ignored).toEqual([])
  })

  test("every option of Debezium is accepted with Debezium's default, but for what masks and renamed keys have", () => {
    const refused = options.filter(([key, value]) => unsupportedSettings({ [key]: value ?? '' }).length > 0)
    expect(refused.map(([key]) => key)).toEqual([
      'column.mask.hash.SHA-256.with.salt.salt',
      'column.mask.with.5.chars',
      'column.truncate.to.5.chars',
      'heartbeat.topics.prefix',
      'snapshot.mode.configuration.based.snapshot.data',
      'snapshot.mode.configuration.based.snapshot.on.data.error',
      'snapshot.mode.configuration.based.snapshot.on.schema.error',
      'snapshot.mode.configuration.based.snapshot.schema',
      'snapshot.mode.configuration.based.start.stream',
    ])
  })

  test('filters under the names that Debezium has given up are refused with the new name', () => {
    expect(unsupportedSettings({ 'table.whitelist': 'public.a' })).toEqual([
      { key: 'table.whitelist', message: 'it is called "table.include.list" now; rename it' },
    ])
  })

  test('what has no effect is told apart from what is supported or refused', () => {
    const keys = settingsWithoutEffect({
      'database.query.timeout.ms': '1000',
      'database.hostname': 'h',
      'database.loginTimeout': '5',
      'signal.enabled.channels': 'source',
      'signal.poll.interval.ms': '1000',
      'event.converting.failure.handling.mode': 'fail',
    })
    expect(keys).toEqual(['database.query.timeout.ms', 'database.loginTimeout', 'signal.poll.interval.ms'])
  })

  test('each example is valid', () => {
    const folder = new URL('../../../../connectors/postgres-cdc/examples/', import.meta.url)
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
    expect(files.length).toBeGreaterThan(2)
    for (const file of files) {
      const { config } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { config: Record<string, string> }
      const errors = [...parseConfigKeys(connector.config, config).values()].flatMap((key) => key.errors)
      expect([file, errors, unsupportedSettings(config)]).toEqual([file, [], []])
    }
  })

  test.each([
    ['snapshot.mode', 'never'],
    ['interval.handling.mode', 'structured'],
    ['plugin.name', 'decoderbufs'],
    ['slot.name', 'Upper-Case'],
    ['table.include.list', '(unclosed'],
    ['skipped.operations', 'x'],
    ['topic.prefix', 'a b'],
  ])('%s=%s is refused', (key, value) => {
    expect(parseConfigKeys(connector.config, { [key]: value }).get(key)?.errors).toHaveLength(1)
  })
})
