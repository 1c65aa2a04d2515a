import { ProtocolError } from './protocol-error.ts'
import { noBytes, type Reader } from './reader.ts'
import { inRange, type MessageSchema, type SchemaField } from './schema.ts'
import type { Writer } from './writer.ts'

/** The uuid of all zero bytes: Kafka's "none". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

const FIXED_BYTES: Record<string, number> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}

/** What the generated functions may call besides the cursor. */
const RUNTIME = {
  noBytes,
  none: Object.freeze({}),
  isNull(name: string): never {
    throw new ProtocolError(`${name} must not be null in this version`)
  },
  badTag(tag: number): never {
    throw new ProtocolError(`tagged field ${tag} is not as long as its size says`)
  },
  unsupported(name: string): never {
    throw new ProtocolError(`${name} cannot be sent in this version`)
  },
}

/** The state of one compilation: source text of helper functions, all for one version. */
class Source {
  readonly version: number
  readonly flexible: boolean
  /** Whether a value that this version cannot carry is an error, as in Kafka's clients; an answer always gets out. */
  readonly strict: boolean
  readonly functions: string[] = []

  constructor(schema: MessageSchema, version: number, strict: boolean) {
    this.version = version
    this.flexible = inRange(schema.flexible, version)
    this.strict = strict
  }

  define(parameters: string, body: string): string {
    const name = `f${this.functions.length}`
    this.functions.push(`function ${name}(${parameters}) {\n${body}\n}`)
    return name
  }

  nullable(field: SchemaField): boolean {
    return inRange(field.nullable, this.version)
  }

  tagged(field: SchemaField): boolean {
    return this.flexible && inRange(field.tagged, this.version)
  }
}

/** Builds the decoder of one message in one version. */
export function compileDecoder<T>(schema: MessageSchema, version: number): (reader: Reader) => T {
  const source = new Source(schema, version, false)
  const root = structReader(source, schema.fields)
  return build(source, root) as (reader: Reader) => T
}

/** Builds the encoder of one message in one version. */
export function compileEncoder<T>(schema: MessageSchema, version: number, strict: boolean): (w: Writer, m: T) => void {
  const source = new Source(schema, version, strict)
  const root = structWriter(source, schema.fields)
  return build(source, root) as (w: Writer, m: T) => void
}

function build(source: Source, root: string): unknown {
  const text = `'use strict'\n${source.functions.join('\n')}\nreturn ${root}`
  // The text comes from the committed schema tables alone; nothing from the network reaches it.
  // oxlint-disable-next-line typescript/no-implied-eval
  return new Function('rt', text)(RUNTIME) as unknown
}

// --- decoding ---

function structReader(source: Source, fields: SchemaField[]): string {
  const properties = fields.map((field) => {
    const present = inRange(field.versions, source.version) && !source.tagged(field)
    return `${field.name}: ${present ? readExpression(source, field) : defaultExpression(field)}`
  })
  const body = [`const o = { ${properties.join(', ')} }`]
  if (source.flexible) {
    const cases = fields
      .filter((field) => source.tagged(field))
      .map((field) => `case ${field.tag}: o.${field.name} = ${readExpression(source, field)}; break`)
    body.push(
      'for (let n = r.varuint(); n > 0; n--) {',
      'const tag = r.varuint(), size = r.varuint(), end = r.take(size) + size',
      cases.length === 0
        ? ''
        : `r.position = end - size; switch (tag) { ${cases.join('; ')}; default: r.position = end }`,
      'if (r.position !== end) rt.badTag(tag)',
      '}',
    )
  }
  body.push('return o')
  return source.define('r', body.join('\n'))
}

function readExpression(source: Source, field: SchemaField): string {
  if (!field.array) return readElement(source, field, source.nullable(field))
  const element = readElement(source, field, false)
  const count = `r.${source.flexible ? 'compactCount' : 'count'}(${elementMinimum(source, field)})`
  const whenNull = source.nullable(field) ? 'return null' : `rt.isNull('${field.name}')`
  const body = `const n = ${count}\nif (n < 0) ${whenNull}\nconst a = []\nfor (let i = 0; i < n; i++) a.push(${element})\nreturn a`
  return `${source.define('r', body)}(r)`
}

function readElement(source: Source, field: SchemaField, nullable: boolean): string {
  if (field.type === 'struct') {
    const call = `${structReader(source, field.fields)}(r)`
    // The mark of a struct that is there is 1 in both places; of null it is -1, but 0 in a tagged field.
    const isNull = source.tagged(field) ? 'r.varuint() === 0' : 'r.int8() < 0'
    return nullable ? `(${isNull} ? null : ${call})` : call
  }
  return `r.${methodOf(source, field.type, nullable)}()`
}

function methodOf(source: Source, type: string, nullable: boolean): string {
  if (type !== 'string' && type !== 'bytes' && type !== 'records') return type
  const base = type === 'string' ? 'String' : 'Bytes'
  const name = (source.flexible ? 'compact' : '') + (nullable ? 'Nullable' : '') + base
  return name.charAt(0).toLowerCase() + name.slice(1)
}

/** The fewest bytes one element of this array can take: what bounds a claimed length. */
function elementMinimum(source: Source, field: SchemaField): number {
  return field.type === 'struct' ? structMinimum(source, field.fields) : scalarMinimum(source, field.type)
}

function scalarMinimum(source: Source, type: string): number {
  return FIXED_BYTES[type] ?? (source.flexible ? 1 : type === 'string' ? 2 : 4)
}

function structMinimum(source: Source, fields: SchemaField[]): number {
  let total = source.flexible ? 1 : 0
  for (const field of fields) {
    if (!inRange(field.versions, source.version) || source.tagged(field)) continue
    if (field.array) total += source.flexible ? 1 : 4
    else if (field.type !== 'struct') total += scalarMinimum(source, field.type)
    else total += source.nullable(field) ? 1 : structMinimum(source, field.fields)
  }
  return Math.max(1, total)
}

function defaultExpression(field: SchemaField): string {
  if (field.default !== undefined) return JSON.stringify(field.default)
  if (field.array) return '[]'
  switch (field.type) {
    case 'struct':
      return `{ ${field.fields.map((nested) => `${nested.name}: ${defaultExpression(nested)}`).join(', ')} }`
    case 'bool':
      return 'false'
    case 'string':
      return `''`
    case 'uuid':
      return `'${ZERO_UUID}'`
    case 'bytes':
    case 'records':
      return 'rt.noBytes'
    default:
      return '0'
  }
}

// --- encoding ---

function structWriter(source: Source, fields: SchemaField[]): string {
  const body: string[] = ['let v']
  for (const field of fields) {
    const present = inRange(field.versions, source.version)
    if (present && !source.tagged(field)) {
      const fallback = field.type === 'struct' && !field.array && field.default === undefined
      body.push(`v = m.${field.name}`)
      body.push(`if (v === undefined) v = ${fallback ? 'rt.none' : defaultExpression(field)}`)
      body.push(writeStatement(source, field))
    } else if (!present && source.strict && !field.ignorable) {
      body.push(`v = m.${field.name}`, `if (${notDefault(source, field)}) rt.unsupported('${field.name}')`)
    }
  }
  if (source.flexible) body.push(...tagWriters(source, fields))
  return source.define('w, m', body.join('\n'))
}

function tagWriters(source: Source, fields: SchemaField[]): string[] {
  const tagged = fields.filter((field) => source.tagged(field)).toSorted((a, b) => a.tag - b.tag)
  if (tagged.length === 0) return ['w.varuint(0)']
  const lines = ['let n = 0']
  for (const field of tagged) {
    lines.push(`v = m.${field.name}`, `const t${field.tag} = ${notDefault(source, field)}`, `if (t${field.tag}) n++`)
  }
  lines.push('w.varuint(n)')
  for (const field of tagged) {
    lines.push(
      `if (t${field.tag}) { v = m.${field.name}; const s = w.openTag(${field.tag}); ${writeStatement(source, field)}; w.closeTag(s) }`,
    )
  }
  return lines
}

/** Whether `v` is given and differs from the default, so that leaving it out would change the meaning. */
function notDefault(source: Source, field: SchemaField): string {
  const given = 'v !== undefined'
  if (field.default !== undefined) return `${given} && v !== ${JSON.stringify(field.default)}`
  if (field.array || field.type === 'bytes' || field.type === 'records')
    return `${given} && (v === null || v.length > 0)`
  if (field.type !== 'struct') return `${given} && v !== ${defaultExpression(field)}`
  const checks = field.fields.map((nested) => `v = m.${nested.name}\nif (${notDefault(source, nested)}) return true`)
  const differs = source.define('m', `let v\n${checks.join('\n')}\nreturn false`)
  return `${given} && (v === null || ${differs}(v))`
}

function writeStatement(source: Source, field: SchemaField): string {
  const nullable = source.nullable(field)
  const refuse = `rt.isNull('${field.name}')`
  if (!field.array) {
    const write = writeElement(source, field, nullable, 'v')
    const absent = source.tagged(field) ? 0 : -1
    if (nullable && field.type === 'struct') return `if (v === null) w.int8(${absent})\nelse { w.int8(1); ${write} }`
    return nullable ? write : `if (v === null) ${refuse}\n${write}`
  }
  const length = source.flexible ? 'w.varuint(v.length + 1)' : 'w.int32(v.length)'
  const whenNull = nullable ? (source.flexible ? 'w.varuint(0)' : 'w.int32(-1)') : refuse
  const element = writeElement(source, field, false, 'v[i]')
  const loop = source.define('w, v', `${length}\nfor (let i = 0; i < v.length; i++) ${element}`)
  return `if (v === null) ${whenNull}\nelse ${loop}(w, v)`
}

function writeElement(source: Source, field: SchemaField, nullable: boolean, value: string): string {
  if (field.type === 'struct') return `${structWriter(source, field.fields)}(w, ${value})`
  return `w.${methodOf(source, field.type, nullable)}(${value})`
}
