import { Double, Int32, Long } from 'mongodb'
import { DataError } from '@millrace/sdk'
import { type DateReader, valid } from './date-reader.ts'
import type { Document } from './documents.ts'

/**
 * Makes the time field of a document a date, from milliseconds or text. Throws DataError, since nothing else can be
 * stored.
 */
export function convertTimeField(document: Document, field: string, read: DateReader): void {
  const value = document[field]
  if (value instanceof Date) return
  const date = typeof value === 'string' ? read(value) : valid(new Date(millisecondsOf(value)))
  if (date === undefined)
    throw new DataError(
      `the field ${field} is no date that can be read; see timeseries.timefield.auto.convert.date.format`,
    )
  document[field] = date
}

function millisecondsOf(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  if (value instanceof Long) return value.toNumber()
  return value instanceof Int32 || value instanceof Double ? value.valueOf() : Number.NaN
}
