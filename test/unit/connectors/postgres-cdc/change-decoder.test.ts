import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ChangeDecoder, STALE_TABLE, type StreamedRecord } from '../../../../connectors/postgres-cdc/change-decoder.ts'
import { completePosition, type StreamPosition } from '../../../../connectors/postgres-cdc/positions.ts'
import {
  baseType,
  begin,
  column,
  commit,
  decoderSettings,
  insert,
  makeTable,
  remove,
  text,
  tuple,
  update,
} from './fixtures.ts'
import '../../property-settings.ts'

interface Step {
  readonly message: Buffer
  readonly lsn: number
}

/** Two transactions with every kind of change. */
const STEPS: readonly Step[] = [
  { message: begin(7, 500), lsn: 400 },
  { message: insert(1, tuple('1', 'one')), lsn: 410 },
  { message: insert(2, tuple('x')), lsn: 420 },
  { message: update(1, tuple('1', 'uno')), lsn: 430 },
  { message: update(1, tuple('2', 'uno'), { kind: 'K', row: tuple('1', null) }), lsn: 440 },
  { message: remove(1, 'K', tuple('2', null)), lsn: 440 },
  { message: commit(508), lsn: 508 },
  { message: begin(8, 600), lsn: 508 },
  { message: insert(1, tuple('9', null)), lsn: 520 },
  { message: commit(608), lsn: 608 },
]

function decode(steps: readonly Step[], from: StreamPosition = completePosition(400)) {
  const records: StreamedRecord[] = []
  const settings = decoderSettings(records)
  const decoder = new ChangeDecoder(settings, from, null)
  decoder.setTable(1, makeTable())
  decoder.setTable(2, null)
  for (const { message, lsn } of steps) decoder.message(message[0] as number, message, 1, message.length, lsn)
  return { records, decoder, settings }
}

/** What the server sends from a position: whole transactions that end behind it. */
const resent = ({ endLsn }: StreamPosition): readonly Step[] => STEPS.slice(endLsn >= 608 ? 10 : endLsn >= 508 ? 7 : 0)

const summary = (record: StreamedRecord): string => {
  const value = JSON.parse(text(record, 'value') ?? 'null')
  return `${text(record, 'key')} ${value === null ? 'tombstone' : `${value.op} ${JSON.stringify(value.before)} ${JSON.stringify(value.after)}`}`
}

describe('changes become records', () => {
  test('a changed key is a delete, a tombstone and an insert; deletes have tombstones; other tables make nothing', () => {
    expect(decode(STEPS).records.map(summary)).toEqual([
      '{"id":1} c null {"id":1,"v":"one"}',
      '{"id":1} u null {"id":1,"v":"uno"}',
      '{"id":1} d {"id":1,"v":null} null',
      '{"id":1} tombstone',
      '{"id":2} c null {"id":2,"v":"uno"}',
      '{"id":2} d {"id":2,"v":null} null',
      '{"id":2} tombstone',
      '{"id":9} c null {"id":9,"v":null}',
    ])
  })

  test('the envelope has exactly the fields of Debezium in their order', () => {
    const [record] = decode(STEPS).records
    const source =
      '{"version":"9","connector":"postgresql","name":"pfx","ts_ms":1600000000000,"snapshot":"false","db":"shop",' +
      '"sequence":"[null,\\"410\\"]","ts_us":1600000000000000,"ts_ns":1600000000000000000,"schema":"s","table":"t",' +
      '"txId":7,"lsn":410,"xmin":null,"origin":null,"origin_lsn":null}'
    expect(text(record as StreamedRecord, 'value')).toBe(
      `{"before":null,"after":{"id":1,"v":"one"},"source":${source},"transaction":null,"op":"c",` +
        '"ts_ms":1700000000000,"ts_us":1700000000000000,"ts_ns":1700000000000000000}',
    )
  })

  test('sequence names the end of the transaction before', () => {
    const last = decode(STEPS).records.at(-1) as StreamedRecord
    expect(JSON.parse(text(last, 'value') ?? '').source.sequence).toBe('["508","520"]')
  })

  test('the full old row is before, and gives the large values that were not sent', () => {
    const table = makeTable()
    const records: StreamedRecord[] = []
    const decoder = new ChangeDecoder(decoderSettings(records), completePosition(0), null)
    decoder.setTable(1, table)
    const steps = [
      begin(1, 10),
      update(1, tuple('1', undefined), { kind: 'O', row: tuple('1', 'large') }),
      update(1, tuple('1', undefined)),
      commit(20),
    ]
    for (const message of steps) decoder.message(message[0] as number, message, 1, message.length, 5)
    expect(records.map(summary)).toEqual([
      '{"id":1} u {"id":1,"v":"large"} {"id":1,"v":"large"}',
      '{"id":1} u null {"id":1,"v":"__ph"}',
    ])
  })

  test('an enum label that the schema does not know asks for the table again', () => {
    const mood = baseType('mood', { kind: 'e', labels: ['sad'] })
    const table = (labels: string[]) => makeTable([column('m', 'mood', { type: { ...mood, labels } })], {}, [])
    const records: StreamedRecord[] = []
    const decoder = new ChangeDecoder(decoderSettings(records), completePosition(0), null)
    decoder.setTable(1, table(['sad']))
    const first = begin(1, 10)
    decoder.message(first[0] as number, first, 1, first.length, 5)
    const message = insert(1, tuple('happy'))
    expect(decoder.message(message[0] as number, message, 1, message.length, 5)).toBe(STALE_TABLE)
    decoder.setTable(1, table(['sad', 'happy']))
    expect(decoder.message(message[0] as number, message, 1, message.length, 5)).toBeUndefined()
  })
})

describe('positions', () => {
  test('the last change of a transaction carries its end, the others a count', () => {
    const positions = decode(STEPS).records.map(({ position }) => position)
    expect(positions).toEqual([
      { endLsn: 400, xid: 7, changes: 1, records: 0 },
      { endLsn: 400, xid: 7, changes: 3, records: 0 },
      { endLsn: 400, xid: 7, changes: 3, records: 1 },
      { endLsn: 400, xid: 7, changes: 3, records: 2 },
      { endLsn: 400, xid: 7, changes: 4, records: 0 },
      { endLsn: 400, xid: 7, changes: 4, records: 1 },
      completePosition(508),
      completePosition(608),
    ])
  })

  test('from any position the rest comes, and only the rest', () => {
    const whole = decode(STEPS).records
    whole.forEach((record, index) => {
      const position = record.position as StreamPosition
      expect(decode(resent(position), position).records.map(summary)).toEqual(whole.slice(index + 1).map(summary))
    })
  })

  test('a connection that breaks anywhere is continued where it broke', () => {
    const whole = decode(STEPS).records.map(summary)
    for (let cut = 0; cut <= STEPS.length; cut++) {
      const { records, decoder } = decode(STEPS.slice(0, cut))
      decoder.flush()
      const second = decode(resent(decoder.position), decoder.position)
      expect([...records, ...second.records].map(summary), `cut at ${cut}`).toEqual(whole)
    }
  })

  test('another transaction than the one emitted in part is delivered whole', () => {
    const { records, settings } = decode(STEPS.slice(7), { endLsn: 508, xid: 99, changes: 3, records: 0 })
    expect(records.length).toBe(1)
    expect(settings.unexpected).toEqual([[99, 8]])
  })

  test('a keepalive moves the position only between transactions', () => {
    const { decoder } = decode(STEPS.slice(0, 3))
    decoder.advance(10_000)
    expect(decoder.endLsn).toBe(400)
    const whole = decode(STEPS).decoder
    whole.advance(10_000)
    expect(whole.endLsn).toBe(10_000)
  })
})

test('damaged messages are errors, never wild reads', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: STEPS.length - 1 }),
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      fc.nat(),
      (which, at, byte, cut) => {
        const records: StreamedRecord[] = []
        const decoder = new ChangeDecoder(decoderSettings(records), completePosition(400), null)
        decoder.setTable(1, makeTable())
        decoder.setTable(2, null)
        for (const [index, { message, lsn }] of STEPS.entries()) {
          const copy = Buffer.from(message)
          if (index === which) copy[at % copy.length] = byte
          const end = index === which ? Math.max(1, copy.length - (cut % 4)) : copy.length
          try {
            decoder.message(copy[0] as number, copy, 1, end, lsn)
            for (const record of records) text(record, 'value')
          } catch (error) {
            expect((error as Error).name).toMatch(/PostgresError|RangeError|SyntaxError/)
            return
          }
        }
      },
    ),
  )
})
