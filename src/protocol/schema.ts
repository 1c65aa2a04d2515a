import { assert } from '../base/index.ts'

/** An inclusive range of versions; empty when `min > max`. */
export interface VersionRange {
  min: number
  max: number
}

export interface SchemaField {
  name: string
  /** A scalar's type or 'struct'; of the elements when `array`. */
  type: string
  array: boolean
  versions: VersionRange
  nullable: VersionRange
  tag: number
  tagged: VersionRange
  ignorable: boolean
  /** Undefined where the default is the type's own: 0, false, '', empty. */
  default: string | number | boolean | null | undefined
  fields: SchemaField[]
}

export interface MessageSchema {
  versions: VersionRange
  flexible: VersionRange
  fields: SchemaField[]
}

const NEVER: VersionRange = { min: 1, max: 0 }
const SCALARS = new Set('bool int8 int16 uint16 int32 uint32 int64 float64 string uuid bytes records'.split(' '))

export function inRange(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max
}

function parseRange(text: string): VersionRange {
  if (text === 'none') return NEVER
  if (text.endsWith('+')) return { min: Number(text.slice(0, -1)), max: Number.POSITIVE_INFINITY }
  const [min, max = min] = text.split('-')
  return { min: Number(min), max: Number(max) }
}

function parseField(line: string): SchemaField {
  const [name, type, versions, ...options] = line.split(' ')
  assert(name && type && versions, `schema line '${line}'`)
  const element = type.startsWith('[]') ? type.slice(2) : type
  const field: SchemaField = {
    name,
    type: SCALARS.has(element) ? element : 'struct',
    array: element !== type,
    versions: parseRange(versions),
    nullable: NEVER,
    tag: -1,
    tagged: NEVER,
    ignorable: false,
    default: undefined,
    fields: [],
  }
  for (const option of options) {
    const [key, range] = option.split('@')
    if (option === 'ignorable') field.ignorable = true
    else if (option.startsWith('=')) field.default = JSON.parse(option.slice(1)) as string | number | boolean | null
    else if (key === 'null') field.nullable = parseRange(range!)
    else {
      field.tag = Number(key!.slice(3))
      field.tagged = parseRange(range!)
    }
  }
  return field
}

/** Parses one text of generated/schemas.ts. */
export function parseSchema(text: string): MessageSchema {
  const [head, ...lines] = text.split('\n')
  const [versions, flexible] = head!.split(' ')
  const root: SchemaField[] = []
  const open: SchemaField[][] = [root]
  for (const line of lines) {
    const depth = line.length - line.trimStart().length
    const field = parseField(line.trimStart())
    const siblings = open[depth]
    assert(siblings, `schema line '${line}' is nested too deeply`)
    siblings.push(field)
    open.length = depth + 1
    open.push(field.fields)
  }
  return { versions: parseRange(versions!), flexible: parseRange(flexible!), fields: root }
}
