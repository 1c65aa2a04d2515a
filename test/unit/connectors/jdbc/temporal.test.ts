import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareInstants,
  dateOf,
  daysOf,
  formatDate,
  formatInstant,
  formatIso,
  formatTime,
  type Instant,
  instantOfMs,
  instantOfUnits,
  parseInstant,
  parseTime,
  unitsOf,
} from '../../../../connectors/jdbc/temporal.ts'
import { utc, zoneOf } from '../../../../connectors/jdbc/zone.ts'
import '../../property-settings.ts'

const berlin = zoneOf('Europe/Berlin')
const micros = fc.bigInt({ min: -62_000_000_000_000_000n, max: 250_000_000_000_000_000n })

describe('timestamps', () => {
  test.each([
    ['2024-01-02 03:04:05.123456', utc, '2024-01-02T03:04:05.123Z', 123_456_000],
    ['2024-01-02 03:04:05', utc, '2024-01-02T03:04:05.000Z', 0],
    ['2024-01-02 03:04:05.000001+00', berlin, '2024-01-02T03:04:05.000Z', 1000],
    ['2024-07-02 03:04:05.5+02', utc, '2024-07-02T01:04:05.500Z', 500_000_000],
    ['2024-07-02 03:04:05-03:30', utc, '2024-07-02T06:34:05.000Z', 0],
    ['2024-07-02 03:04:05', berlin, '2024-07-02T01:04:05.000Z', 0],
    ['2024-01-02 03:04:05', berlin, '2024-01-02T02:04:05.000Z', 0],
    ['1969-12-31 23:59:59.999999', utc, '1969-12-31T23:59:59.999Z', 999_999_000],
    ['12024-07-02 03:04:05', utc, '+012024-07-02T03:04:05.000Z', 0],
    ['2024-05-06', utc, '2024-05-06T00:00:00.000Z', 0],
  ])('%s is read to the last digit', (text, zone, iso, nanos) => {
    const instant = parseInstant(text, zone, 'LEGACY')
    expect(new Date(instant.ms).toISOString()).toBe(iso)
    expect(instant.nanos).toBe(nanos)
  })

  test.each(['', 'now', '2024-01-02T03:04:05', '2024-1-2 03:04:05', '2024-01-02 03:04:05x', '2024-01-02 03:04:05.'])(
    '"%s" is refused',
    (text) => expect(() => parseInstant(text, utc, 'LEGACY')).toThrow(RangeError),
  )

  test('what is written is read back as the same instant, in any zone and calendar', () => {
    const zones = fc.constantFrom(utc, berlin, zoneOf('GMT+05:30'), zoneOf('America/New_York'))
    const calendars = fc.constantFrom('LEGACY' as const, 'PROLEPTIC_GREGORIAN' as const)
    fc.assert(
      fc.property(micros, zones, calendars, (units, zone, calendar) => {
        const instant = instantOfUnits(units, 1_000_000)
        // The text carries the offset, so even a wall clock time that occurs twice is told apart.
        expect(parseInstant(formatInstant(instant, zone, calendar), utc, calendar)).toEqual(instant)
        expect(unitsOf(instant, 1_000_000)).toBe(units)
      }),
    )
  })

  test('compare by time, down to the nanosecond', () => {
    const times: Instant[] = [instantOfMs(5), { ms: 5, nanos: 5_000_001 }, instantOfMs(6), instantOfMs(-1)]
    expect([...times].sort(compareInstants)).toEqual([
      instantOfMs(-1),
      instantOfMs(5),
      { ms: 5, nanos: 5_000_001 },
      instantOfMs(6),
    ])
  })

  test('infinity is the last Date and comes back as infinity', () => {
    const instant = parseInstant('infinity', utc, 'LEGACY')
    expect(new Date(instant.ms).getTime()).toBe(8.64e15)
    expect(formatInstant(instant, utc, 'LEGACY')).toBe('infinity')
    expect(formatInstant(parseInstant('-infinity', utc, 'LEGACY'), utc, 'LEGACY')).toBe('-infinity')
  })

  test('ISO text has as many digits as asked', () => {
    const instant = parseInstant('2024-01-02 03:04:05.123456', utc, 'LEGACY')
    expect(formatIso(instant, utc, 6, 'LEGACY')).toBe('2024-01-02T03:04:05.123456')
    expect(formatIso(instant, berlin, 9, 'LEGACY')).toBe('2024-01-02T04:04:05.123456000')
  })
})

describe('dates', () => {
  test('the proleptic calendar is that of JavaScript', () => {
    fc.assert(
      fc.property(fc.integer({ min: -700_000, max: 3_000_000 }), (days) => {
        const date = new Date(days * 86_400_000)
        const expected = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
        expect(dateOf(days, 'PROLEPTIC_GREGORIAN')).toEqual(expected)
      }),
    )
  })

  test('the legacy calendar skips from 4 to 15 October 1582, and round-trips', () => {
    expect(dateOf(-141_428, 'LEGACY')).toEqual([1582, 10, 4])
    expect(dateOf(-141_427, 'LEGACY')).toEqual([1582, 10, 15])
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 100_000 }), (days) => {
        expect(daysOf(...dateOf(days, 'LEGACY'), 'LEGACY')).toBe(days)
      }),
    )
  })

  test('years before Christ are written as Postgres writes them', () => {
    expect(formatDate(daysOf(-43, 3, 15, 'PROLEPTIC_GREGORIAN'), 'PROLEPTIC_GREGORIAN')).toBe('0044-03-15 BC')
  })
})

describe('times of day', () => {
  test.each([
    ['03:04:05.678', utc, 11_045_678],
    ['03:04:05.678901', utc, 11_045_678],
    ['03:04:05+01', utc, 7_445_000],
    ['00:30:00+01:00', utc, 84_600_000],
    ['24:00:00', utc, 0],
    ['01:00:00', zoneOf('GMT+01:00'), 0],
  ])('%s', (text, zone, ms) => expect(parseTime(text, zone)).toBe(ms))

  test('are written without trailing zeros', () => {
    expect(formatTime(11_045_678_000_000n)).toBe('03:04:05.678')
    expect(formatTime(0n)).toBe('00:00:00')
  })
})

describe('zones', () => {
  test('an hour that does not exist is taken as if the clock had not moved yet', () => {
    const gap = berlin.toUtc(Date.UTC(2024, 2, 31, 2, 30))
    expect(new Date(gap).toISOString()).toBe('2024-03-31T01:30:00.000Z')
  })

  test.each(['Nowhere/City', 'x', ''])('"%s" is unknown', (name) => expect(() => zoneOf(name)).toThrow(RangeError))
})
