import type { Schema } from '@millrace/sdk'
import type { BindOptions, TextBinder } from '../sink-dialect.ts'
import { formatWallClock } from '../temporal.ts'
import { readingOf } from '../value-texts.ts'
import { utc } from '../zone.ts'
import { quoteBytes, quoteText } from './literals.ts'

const NUMBERS = /^(tinyint|smallint|mediumint|int|bigint|decimal|float|double|bit|year)$/

/** Chooses how values are written: as SQL, ready for a statement. */
export function binderOf(name: string, schema: Schema, columnType: string, options: BindOptions): TextBinder {
  const isTimestamp = columnType === 'timestamp'
  const isInstant = isTimestamp || columnType === 'datetime'
  const takes = {
    dates: isInstant || columnType === 'date',
    times: columnType === 'time',
    instants: isInstant || columnType === 'date',
  }
  const read = readingOf(name, schema, takes, options)
  const isNumeric = NUMBERS.test(columnType)
  return (value) => {
    const plain = read(value)
    switch (plain.kind) {
      case 'bytes':
        return quoteBytes(plain.bytes)
      case 'number':
        // A key of text must be compared as text, and a decimal not as a floating point number.
        return isNumeric ? plain.text : quoteText(plain.text)
      case 'instant': {
        // Our sessions are in UTC, and a TIMESTAMP is written in the zone of the session.
        const zone = isTimestamp || plain.wallClock ? utc : options.zone
        return quoteText(
          formatWallClock(plain.instant, zone, plain.wallClock ? 'PROLEPTIC_GREGORIAN' : options.calendar),
        )
      }
      default:
        return quoteText(plain.text)
    }
  }
}
