import { ConfigError, DataError, type SinkRecord, valueToString } from '@millrace/sdk'
import type { ZoneOffset } from '../../_shared/storage-sink/index.ts'

const VARIABLES = ['topic', 'partition', 'start_offset', 'timestamp', 'key'] as const
const UNITS = ['yyyy', 'MM', 'dd', 'HH'] as const
const PLACE = /\{\{\s*(\w*)\s*(?::\s*(\w*)\s*=\s*(\w*))?\s*\}\}/g
/** S3 takes no longer names. */
const NAME_BYTES_MAX = 1024

type Unit = (typeof UNITS)[number]

interface Variable {
  readonly name: string
  readonly padded: boolean
  readonly unit: Unit
}

/** A name with variables: text and variables in turn. */
export type FileNameTemplate = readonly (string | Variable)[]

/**
 * What one object holds: all records of a topic partition (`partition`), of a key in it (`partition-key`), or the latest
 * record of a key (`key`).
 */
export type Grouping = 'partition' | 'partition-key' | 'key'

/** Parses a template. Throws ConfigError where a variable is unknown. */
export function fileNameTemplate(text: string, more: readonly string[] = []): FileNameTemplate {
  const parts: (string | Variable)[] = []
  let at = 0
  for (const match of text.matchAll(PLACE)) {
    parts.push(text.slice(at, match.index), variable(match, [...VARIABLES, ...more]))
    at = match.index + match[0].length
  }
  return [...parts, text.slice(at)]
}

function variable([place, name = '', parameter, value = '']: RegExpExecArray, known: readonly string[]): Variable {
  if (!known.includes(name)) {
    throw new ConfigError(`${place} is not a variable; there are ${known.map((each) => `{{${each}}}`).join(', ')}`)
  }
  // The original takes the letters of another calendar for these.
  const unit = value === 'YYYY' ? 'yyyy' : value
  if (name === 'timestamp') {
    if (parameter !== 'unit' || !UNITS.includes(unit as Unit)) {
      throw new ConfigError(`${place} needs a unit: {{timestamp:unit=yyyy}}, MM, dd or HH`)
    }
    return { name, padded: false, unit: unit as Unit }
  }
  const takesPadding = name === 'partition' || name === 'start_offset'
  const isPadding = takesPadding && parameter === 'padding' && ['true', 'false'].includes(value)
  if (parameter !== undefined && !isPadding) {
    const fix = takesPadding ? `it may have padding=true or padding=false` : 'it has no parameters'
    throw new ConfigError(`${place} has a parameter that is not known; ${fix}`)
  }
  return { name, padded: value === 'true', unit: 'yyyy' }
}

/** How a template groups records, by its variables. Throws ConfigError for other sets of them. */
export function groupingOf(template: FileNameTemplate): Grouping {
  const names = new Set(template.flatMap((part) => (typeof part === 'string' ? [] : [part.name])))
  const has = (...wanted: readonly string[]): boolean => wanted.every((name) => names.has(name))
  if (has('topic', 'partition', 'start_offset')) return names.has('key') ? 'partition-key' : 'partition'
  const isKeyed = names.has('key') && !names.has('start_offset') && !names.has('timestamp')
  if (isKeyed && names.has('topic') === names.has('partition')) return 'key'
  throw new ConfigError(
    'it has to have the variables topic, partition and start_offset, with key and timestamp or without; or key alone; or ' +
      'key, topic and partition',
  )
}

/** What variables are made of. */
export interface NameContext {
  readonly zone: ZoneOffset
  readonly byEvent: boolean
  readonly now: () => number
}

/** The name for a record whose group began at an offset. Throws DataError when the record gives no name. */
export function fileName(
  template: FileNameTemplate,
  record: SinkRecord,
  startOffset: number,
  context: NameContext,
): string {
  const nowMs = context.now()
  const text = template
    .map((part) => (typeof part === 'string' ? part : valueOf(part, record, startOffset, nowMs, context)))
    .join('')
  const bytes = Buffer.byteLength(text)
  if (bytes === 0 || bytes > NAME_BYTES_MAX) {
    throw new DataError(`the name of its object would have ${bytes} bytes; S3 takes 1 to ${NAME_BYTES_MAX}`)
  }
  return text
}

function valueOf(part: Variable, record: SinkRecord, startOffset: number, nowMs: number, context: NameContext): string {
  switch (part.name) {
    case 'topic':
      return record.topic
    case 'partition':
      return String(record.originalPartition).padStart(part.padded ? 10 : 0, '0')
    case 'start_offset':
      return String(startOffset).padStart(part.padded ? 20 : 0, '0')
    case 'key':
      return keyOf(record)
    case 'utc_date':
      return new Date(nowMs).toISOString().slice(0, 10)
    case 'local_date':
      return localDate(new Date(nowMs))
    default:
      return unitOf(part.unit, timeOf(record, nowMs, context))
  }
}

/** The time of a record in the zone of names. */
function timeOf(record: SinkRecord, nowMs: number, { zone, byEvent }: NameContext): Date {
  const atMs = byEvent ? record.timestamp : nowMs
  if (atMs === null) throw new DataError('it has no timestamp, which the name of its object needs')
  return new Date(atMs + zone(atMs))
}

/** The key as it is in names. */
export function keyOf({ key, keySchema }: SinkRecord): string {
  if (key === null || key === undefined) return 'null'
  return typeof key === 'string' ? key : valueToString(keySchema, key)
}

function localDate(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

function unitOf(unit: Unit, local: Date): string {
  const text = local.toISOString()
  switch (unit) {
    case 'yyyy':
      return text.slice(0, 4)
    case 'MM':
      return text.slice(5, 7)
    case 'dd':
      return text.slice(8, 10)
    case 'HH':
      return text.slice(11, 13)
  }
}
