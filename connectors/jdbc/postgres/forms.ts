import type { Schema } from '@millrace/sdk'
import type { Binder, BindOptions } from '../sink-dialect.ts'
import { mismatch, namedBinderOf, textBinderOf } from './binders.ts'

/** How a column travels whose type takes any value of the schema's type as it is: the number of its type, and its width. */
export interface BinaryForm {
  readonly typeId: number
  /** Bytes of each value; undefined where they differ. */
  readonly width?: 2 | 4 | 8
  readonly isFloat?: true
  /** Types of schemas whose every value fits. */
  readonly takes: readonly Schema['type'][]
}

/**
 * By the name of the column's type. Text would cost both sides several times as much: digits to write and to read, and
 * quotes. Where a value might not fit (INT64 for an integer column) it goes as text, so that Postgres says what it says.
 */
export const binaryForms: Readonly<Record<string, BinaryForm | undefined>> = {
  smallint: { typeId: 21, width: 2, takes: ['INT8', 'INT16'] },
  integer: { typeId: 23, width: 4, takes: ['INT8', 'INT16', 'INT32'] },
  bigint: { typeId: 20, width: 8, takes: ['INT8', 'INT16', 'INT32', 'INT64'] },
  real: { typeId: 700, width: 4, isFloat: true, takes: ['FLOAT32'] },
  'double precision': { typeId: 701, width: 8, isFloat: true, takes: ['FLOAT32', 'FLOAT64'] },
  text: { typeId: 25, takes: ['STRING'] },
  'character varying': { typeId: 1043, takes: ['STRING'] },
  bytea: { typeId: 17, takes: ['BYTES'] },
}

/** Text that needs no quotes inside an array: numbers and booleans. */
export const BARE = 'bare'
const QUOTED = 'quoted'
const INT64_BOUND = 2 ** 63

/** How values of a schema travel to a column: the type of the column where they are binary, else what text it is. */
export function formOf(name: string, schema: Schema, columnType: string, options: BindOptions): string {
  if (namedBinderOf(name, schema, columnType, options) !== undefined) return QUOTED
  if (binaryForms[columnType]?.takes.includes(schema.type) === true) return columnType
  return /^(INT|FLOAT|BOOLEAN)/.test(schema.type) ? BARE : QUOTED
}

/**
 * Chooses how values of a schema are written into a column of this type, in its form. Throws DataError for a type that
 * has no form.
 */
export function binderOf(name: string, schema: Schema, columnType: string, options: BindOptions): Binder {
  const form = binaryForms[formOf(name, schema, columnType, options)]
  if (form === undefined) return textBinderOf(name, schema, columnType, options)
  if (form.isFloat === true) {
    return (value) =>
      typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : mismatch(name, schema)
  }
  if (form.width !== undefined) return integerBinder(name, schema, 2 ** (8 * form.width - 1))
  if (schema.type === 'BYTES') return (value) => (value instanceof Uint8Array ? value : mismatch(name, schema))
  return (value) => (typeof value === 'string' ? value : mismatch(name, schema))
}

/** Integers as numbers, which cost less than bigints, where no digit is lost. */
function integerBinder(name: string, schema: Schema, bound: number): Binder {
  return (value) => {
    if (typeof value !== 'bigint' && typeof value !== 'number') return mismatch(name, schema)
    const number = Number(value)
    if (Number.isSafeInteger(number) && number >= -bound && number < bound) return number
    if (bound === INT64_BOUND && Number.isInteger(number)) {
      const exact = BigInt(value)
      if (BigInt.asIntN(64, exact) === exact) return exact
    }
    return mismatch(name, schema)
  }
}
