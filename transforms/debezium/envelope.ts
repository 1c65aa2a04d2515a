import { DataError, type Field, type Schema, type SchemaType } from '@millrace/sdk'
import type { Members } from '../data.ts'

/** Whether a schema is that of a change event, which Debezium tells by its name. */
export function isEnvelope(schema: Schema | null): schema is Schema {
  return schema?.name?.endsWith('.Envelope') === true
}

/** A field that has to be there. */
export function requireField(schema: Schema, name: string, what: string): Field {
  if (schema.type !== 'STRUCT') throw new DataError(`Cannot look up fields on non-struct type: ${what}`)
  const field = schema.field(name)
  if (!field) throw new DataError(`Unable to find ${what} ${name} in event`)
  return field
}

/** The value of a field that has to be of this type. As in Java no default stands for null, other than with `get`. */
export function typedValue(schema: Schema, struct: Members, name: string, type: SchemaType, what: string): unknown {
  const field = requireField(schema, name, what)
  if (field.schema.type !== type) throw new DataError(`Field '${name}' is not of type ${type}`)
  return struct[name] ?? null
}

/** A field of text, or null. */
export function textOf(schema: Schema, struct: Members, name: string, what: string): string | null {
  return typedValue(schema, struct, name, 'STRING', what) as string | null
}
