import { DataError, type Schema, type SinkRecord } from '@millrace/sdk'

/** What is to be written of a record: its value, or nothing for a delete. */
export interface Change {
  readonly record: SinkRecord
  readonly value: unknown
  readonly valueSchema: Schema | null
  /** Fields of the value that were not sent because they did not change; their columns stay as they are. */
  readonly unchanged: ReadonlySet<string> | undefined
}

/** Debezium writes this for a large value that an update did not touch. */
const UNAVAILABLE = '__debezium_unavailable_value'
const UNAVAILABLE_BYTES = Buffer.from(UNAVAILABLE)
const ENVELOPE = /\.Envelope$/

/** Takes a record as it is. */
export function plainChange(record: SinkRecord): Change {
  return { record, value: record.value, valueSchema: record.valueSchema, unchanged: undefined }
}

/**
 * Takes the row out of a change event. Undefined for events that change no row (truncate, message). Throws
 * DataError for a value that is no change event.
 */
export function unwrapDebezium(record: SinkRecord): Change | undefined {
  const { value, valueSchema } = record
  if (value === null || value === undefined) return { record, value: null, valueSchema: null, unchanged: undefined }
  const operation =
    valueSchema?.type === 'STRUCT' && typeof value === 'object' ? (value as { op?: unknown }).op : undefined
  if (
    valueSchema === null ||
    typeof operation !== 'string' ||
    !(ENVELOPE.test(valueSchema.name ?? '') || valueSchema.field('after'))
  ) {
    throw new DataError(
      'envelope.unwrap=debezium expects change events with a schema, with the fields op, before and after',
    )
  }
  if (operation === 'd') return { record, value: null, valueSchema: null, unchanged: undefined }
  if (operation !== 'c' && operation !== 'u' && operation !== 'r') return undefined
  const after = (value as { after?: unknown }).after
  const schema = valueSchema.field('after')?.schema
  if (after === null || after === undefined || schema === undefined) {
    throw new DataError(`the change event has op ${operation} and no field after`)
  }
  return {
    record,
    value: after,
    valueSchema: schema,
    unchanged: unavailableFields(schema, after as Record<string, unknown>),
  }
}

function unavailableFields(schema: Schema, row: Record<string, unknown>): ReadonlySet<string> | undefined {
  let found: Set<string> | undefined
  for (const { name } of schema.fields) {
    const value = row[name]
    const first = Array.isArray(value) ? value[0] : value
    const isPlaceholder =
      typeof first === 'string' ? first === UNAVAILABLE : first instanceof Uint8Array && UNAVAILABLE_BYTES.equals(first)
    if (isPlaceholder) (found ??= new Set()).add(name)
  }
  return found
}
