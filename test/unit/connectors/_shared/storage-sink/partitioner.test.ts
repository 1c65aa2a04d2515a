import { schemas, struct, timestampSchema } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { jodaFormat } from '../../../../../connectors/_shared/storage-sink/joda-pattern.ts'
import {
  createPartitioner,
  type PartitionerSettings,
} from '../../../../../connectors/_shared/storage-sink/partitioner.ts'
import { nextRotation } from '../../../../../connectors/_shared/storage-sink/schedule.ts'
import { isZone, zoneOffset } from '../../../../../connectors/_shared/storage-sink/zone.ts'
import { sinkRecord } from '../../../../integration/support/s3-tasks.ts'

const settings = (changes: Partial<PartitionerSettings>): PartitionerSettings => ({
  name: 'DefaultPartitioner',
  fields: [],
  delimiter: '/',
  durationMs: -1,
  pathFormat: '',
  locale: 'en-US',
  zone: 'UTC',
  extractor: 'Record',
  timestampField: 'timestamp',
  ...changes,
})
const at = Date.UTC(2024, 2, 10, 23, 45, 6, 78)

describe('partitioners', () => {
  test('by partition and by fields, nested and null ones too', () => {
    const record = sinkRecord(0, { a: 'x', inner: { n: 5, flag: true }, none: null }, { partition: 7 })
    expect(createPartitioner(settings({})).encode(record, null)).toBe('partition=7')
    const fields = ['a', 'inner.n', 'inner.flag', 'none']
    const byField = createPartitioner(settings({ name: 'FieldPartitioner', fields }))
    expect(byField.encode(record, null)).toBe('a=x/inner.n=5/inner.flag=true/none=null')
    const missing = createPartitioner(settings({ name: 'FieldPartitioner', fields: ['b'] }))
    expect(() => missing.encode(record, null)).toThrow('has no field b')
  })

  test('fields of other types are refused by name', () => {
    const schema = struct({ f: schemas.float64 })
    const byField = createPartitioner(settings({ name: 'FieldPartitioner', fields: ['f'] }))
    expect(() => byField.encode(sinkRecord(0, { f: 1 }, { schema }), null)).toThrow('the field f is of type FLOAT64')
  })

  test('daily and hourly folders in a zone, over a change of its clocks', () => {
    const hourly = createPartitioner(settings({ name: 'HourlyPartitioner', zone: 'America/Los_Angeles' }))
    // On this day clocks go from 2 to 3.
    expect(hourly.encode(sinkRecord(0, {}), Date.UTC(2024, 2, 10, 9, 30))).toBe('year=2024/month=03/day=10/hour=01')
    expect(hourly.encode(sinkRecord(0, {}), Date.UTC(2024, 2, 10, 10, 30))).toBe('year=2024/month=03/day=10/hour=03')
    const daily = createPartitioner(settings({ name: 'DailyPartitioner', zone: '+02:00', delimiter: '|' }))
    expect(daily.encode(sinkRecord(0, {}), at)).toBe('year=2024|month=03|day=11')
  })

  test('a period of one’s own, with text in quotes', () => {
    const byTime = createPartitioner(
      settings({ name: 'TimeBasedPartitioner', durationMs: 900_000, pathFormat: "'at'-YYYY-MM-dd'T'HH:mm" }),
    )
    expect(byTime.encode(sinkRecord(0, {}), at)).toBe('at-2024-03-10T23:45')
    expect(byTime.encode(sinkRecord(0, {}), at - 60_000 * 7)).toBe('at-2024-03-10T23:30')
  })

  test('what is missing for time is told by its key', () => {
    const make = (changes: Partial<PartitionerSettings>) => () =>
      createPartitioner(settings({ name: 'TimeBasedPartitioner', durationMs: 1000, pathFormat: 'YYYY', ...changes }))
    expect(make({ durationMs: -1 })).toThrow('partition.duration.ms')
    expect(make({ pathFormat: '' })).toThrow('path.format')
    expect(make({ pathFormat: 'bogus' })).toThrow('the letter "b" of the pattern has no meaning')
    expect(make({ locale: '' })).toThrow('locale')
    expect(make({ zone: '' })).toThrow('timezone')
  })

  test('the time of a field in each form that the original takes', () => {
    const byField = createPartitioner(
      settings({ name: 'DailyPartitioner', extractor: 'RecordField', timestampField: 'meta.at' }),
    )
    const extract = (value: unknown) => byField.extract?.(sinkRecord(0, { meta: { at: value } }), 0)
    expect(extract(at)).toBe(at)
    expect(extract(String(at))).toBe(at)
    expect(extract('2024-03-10T23:45:06.078Z')).toBe(at)
    expect(extract('2024-03-10T23:45:06.078')).toBe(at)
    expect(extract('2024-03-11T01:45:06.078+02:00')).toBe(at)
    expect(() => extract('soon')).toThrow('the field meta.at holds no time')
    const schema = struct({ meta: struct({ at: timestampSchema() }) })
    expect(byField.extract?.(sinkRecord(0, { meta: { at: new Date(at) } }, { schema }), 0)).toBe(at)
  })

  test('only the clock makes folders that a replay may miss', () => {
    const by = (extractor: 'Wallclock' | 'Record') =>
      createPartitioner(settings({ name: 'DailyPartitioner', extractor }))
    expect([by('Wallclock').deterministic, by('Record').deterministic]).toEqual([false, true])
  })
})

describe('patterns of Joda-Time', () => {
  test.each([
    ['YYYY/MM/dd HH:mm:ss.SSS', '2024/03/10 23:45:06.078'],
    ["yy'' xxxx 'w'ww e", "24' 2024 w10 7"],
    ['EEE EEEE MMM MMMM D', 'Sun Sunday Mar March 70'],
    ['hh KK kk a Z ZZ ZZZ', '11 11 23 PM +0200 +02:00 Europe/Berlin'],
  ])('%s', (pattern, text) => {
    expect(jodaFormat(pattern, 'en_US', 'Europe/Berlin')(at, 7_200_000)).toBe(text)
  })

  test('a quote that is not closed is told', () => {
    expect(() => jodaFormat("'year=YYYY", 'en', 'UTC')).toThrow('the quote at 1 of the pattern is not closed')
  })
})

test('zones are names or offsets', () => {
  expect(['UTC', 'Europe/Berlin', '+02:00', '-0330', 'UTC+1'].map(isZone)).toEqual([true, true, true, true, true])
  expect(isZone('Mars/Base')).toBe(false)
  expect(zoneOffset('-03:30')(0)).toBe(-12_600_000)
  expect(zoneOffset('Europe/Berlin')(Date.UTC(2024, 6, 1))).toBe(7_200_000)
})

test('rotations by the clock count from midnight of the zone', () => {
  const now = Date.UTC(2024, 0, 5, 10, 7)
  expect(nextRotation(now, 600_000, zoneOffset('UTC'))).toBe(Date.UTC(2024, 0, 5, 10, 10))
  expect(nextRotation(now, 5 * 3_600_000, zoneOffset('+02:00'))).toBe(Date.UTC(2024, 0, 5, 13))
})
