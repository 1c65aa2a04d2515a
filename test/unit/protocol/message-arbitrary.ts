import fc from 'fast-check'
import { schemas } from '../../../src/protocol/generated/schemas.ts'
import { inRange, type MessageSchema, parseSchema, type SchemaField } from '../../../src/protocol/schema.ts'

export type Message = Record<string, unknown>

const integers: Record<string, [number, number]> = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
}

function scalar(type: string): fc.Arbitrary<unknown> {
  const bounds = integers[type]
  if (bounds) return fc.integer({ min: bounds[0], max: bounds[1] })
  switch (type) {
    case 'bool':
      return fc.boolean()
    case 'int64':
      return fc.maxSafeInteger()
    case 'float64':
      return fc.double({ noNaN: true })
    case 'string':
      return fc.string({ maxLength: 12, unit: 'grapheme' })
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Buffer.from(b).toString('base64url'))
    default:
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))
  }
}

function field(schema: SchemaField, version: number): fc.Arbitrary<unknown> {
  const one = schema.type === 'struct' ? struct(schema.fields, version) : scalar(schema.type)
  const value = schema.array ? fc.array(one, { maxLength: 3 }) : one
  return inRange(schema.nullable, version) ? fc.option(value, { freq: 4 }) : value
}

function struct(fields: SchemaField[], version: number): fc.Arbitrary<Message> {
  const present = fields.filter((candidate) => inRange(candidate.versions, version))
  return fc.record(Object.fromEntries(present.map((candidate) => [candidate.name, field(candidate, version)])))
}

export function schemaOf(name: string): MessageSchema {
  return parseSchema(schemas[name as keyof typeof schemas])
}

/** Messages of this name with every field that the version has. */
export function messageArbitrary(name: string, version: number): fc.Arbitrary<Message> {
  return struct(schemaOf(name).fields, version)
}
