import { ConfigError, DataError, type SinkRecord } from '@millrace/sdk'
import { jodaFormat } from './joda-pattern.ts'
import { fieldAt } from './record-field.ts'
import type { ExtractorName, PartitionerName } from './config.ts'
import { zoneOffset } from './zone.ts'

/** The time of a record in milliseconds; `nowMs` is the clock's. */
export type TimestampExtractor = (record: SinkRecord, nowMs: number) => number

export interface PartitionerSettings {
  readonly name: PartitionerName
  readonly fields: readonly string[]
  readonly delimiter: string
  readonly durationMs: number
  readonly pathFormat: string
  readonly locale: string
  readonly zone: string
  readonly extractor: ExtractorName
  readonly timestampField: string
}

/** Says into which folder of its topic a record goes. */
export interface Partitioner {
  /** Null unless folders go by time. */
  readonly extract: TimestampExtractor | null
  /** Whether a record that is read again gets the same folder. */
  readonly deterministic: boolean
  encode(record: SinkRecord, timestampMs: number | null): string
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const DAILY = "'year'=YYYY/'month'=MM/'day'=dd"

/** Makes the partitioner of a configuration; throws ConfigError that names the key. */
export function createPartitioner(settings: PartitionerSettings): Partitioner {
  switch (settings.name) {
    case 'DefaultPartitioner':
      return defaultPartitioner()
    case 'FieldPartitioner':
      return fieldPartitioner(settings)
    case 'DailyPartitioner':
      return timePartitioner({ ...settings, durationMs: DAY_MS, pathFormat: withDelimiter(DAILY, settings) })
    case 'HourlyPartitioner': {
      const pathFormat = withDelimiter(`${DAILY}/'hour'=HH`, settings)
      return timePartitioner({ ...settings, durationMs: HOUR_MS, pathFormat })
    }
    default:
      return timePartitioner(settings)
  }
}

function defaultPartitioner(): Partitioner {
  const folders: string[] = []
  return {
    extract: null,
    deterministic: true,
    encode: ({ originalPartition }) => (folders[originalPartition] ??= `partition=${originalPartition}`),
  }
}

/** The delimiter goes into the quoted text that follows it, so that its letters are not read as a pattern. */
function withDelimiter(pattern: string, { delimiter }: PartitionerSettings): string {
  return pattern.replaceAll("/'", `'${delimiter.replaceAll("'", "''")}`)
}

function fieldPartitioner({ fields, delimiter }: PartitionerSettings): Partitioner {
  const key = 'partition.field.name'
  if (fields.length === 0) throw new ConfigError(`${key}: FieldPartitioner needs the names of its fields`, { key })
  return {
    extract: null,
    deterministic: true,
    encode: (record) => fields.map((path) => `${path}=${partitionText(record, path)}`).join(delimiter),
  }
}

function partitionText(record: SinkRecord, path: string): string {
  const { schema, value } = fieldAt(record.valueSchema, record.value, path)
  if (value === null || value === undefined) return 'null'
  const isWhole = typeof value === 'bigint' || Number.isInteger(value)
  const fits = isWhole || typeof value === 'string' || typeof value === 'boolean'
  if (!fits || (schema !== null && !/^(INT\d+|STRING|BOOLEAN)$/.test(schema.type))) {
    const type = schema?.name ?? schema?.type ?? typeof value
    throw new DataError(`the field ${path} is of type ${type}; folders are made of whole numbers, text and booleans`)
  }
  return String(value as string | number | bigint | boolean)
}

function timePartitioner(settings: PartitionerSettings): Partitioner {
  const { durationMs, pathFormat, locale, zone, extractor } = settings
  const needed = (problem: boolean, key: string, text: string): void => {
    if (problem) throw new ConfigError(`${key}: ${text}`, { key })
  }
  needed(!(durationMs > 0), 'partition.duration.ms', 'TimeBasedPartitioner needs a period of at least 1 ms')
  needed(pathFormat === '', 'path.format', 'TimeBasedPartitioner needs the folder of a period')
  needed(locale === '', 'locale', 'partitions by time need a locale, such as en-US')
  needed(zone === '', 'timezone', 'partitions by time need a time zone, such as UTC')
  const offsetAt = zoneOffset(zone)
  let format: ReturnType<typeof jodaFormat>
  try {
    format = jodaFormat(pathFormat, locale, zone)
  } catch (error) {
    throw new ConfigError(`path.format: ${(error as Error).message}`, { key: 'path.format', cause: error })
  }
  let lastStart = Number.NaN
  let lastOffset = 0
  let lastText = ''
  return {
    extract: createExtractor(settings),
    deterministic: extractor !== 'Wallclock',
    encode(_record, timestampMs) {
      const at = timestampMs as number
      const offset = offsetAt(at)
      const start = Math.floor((at + offset) / durationMs) * durationMs
      if (start !== lastStart || offset !== lastOffset) {
        // The zone may have moved its clocks since the period began.
        const startOffset = offsetAt(start - offset)
        lastText = format(start, startOffset)
        lastStart = start
        lastOffset = offset
      }
      return lastText
    },
  }
}

function createExtractor({ extractor, timestampField }: PartitionerSettings): TimestampExtractor {
  switch (extractor) {
    case 'Wallclock':
      return (_record, nowMs) => nowMs
    case 'Record':
      return (record) => {
        if (record.timestamp !== null) return record.timestamp
        throw new DataError('the record has no timestamp; use another timestamp.extractor')
      }
    default:
      return (record) => fieldTime(record, timestampField)
  }
}

function fieldTime(record: SinkRecord, path: string): number {
  const { value } = fieldAt(record.valueSchema, record.value, path)
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'number' && Number.isFinite(value)) return Math.floor(value)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'string') {
    const at = /^-?\d+$/.test(value) ? Number(value) : isoTime(value)
    if (Number.isFinite(at)) return at
  }
  throw new DataError(`the field ${path} holds no time: milliseconds, a Timestamp, or text in ISO 8601 are understood`)
}

/** A time without a zone is in UTC, wherever the worker runs. */
function isoTime(text: string): number {
  return Date.parse(/[zZ]$|[+-]\d{2}:?\d{2}$/.test(text) || !text.includes('T') ? text : `${text}Z`)
}
