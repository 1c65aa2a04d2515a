import type { Schema } from '@millrace/sdk'
import type { Binder, BindOptions } from '../sink-dialect.ts'
import { mismatch, namedBinderOf, textBinderOf } from './binders.ts'

/** How values of one length are written. */
export interface FixedForm {
  readonly width: 2 | 4 | 8
  put(view: DataView, at: number, value: number | bigint): void
}

/** How a column travels whose type takes any value of the schema's type as it is. */
export interface BinaryForm {
  /** The number of the column's type. */
  readonly typeId: number
  /** Undefined where the length of values differs. */
  readonly fixed?: FixedForm
  /** Types of schemas whose every value fits. */
  readonly takes: readonly Schema['type'][]
}

const TWO_32 = 2 ** 32
const int2: FixedForm = { width: 2, put: (view, at, value) => view.setInt16(at, value as number) }
const int4: FixedForm = { width: 4, put: (view, at, value) => view.setInt32(at, value as number) }
const int8: FixedForm = {
  width: 8,
  put(view, at, value) {
    if (typeof value === 'number') {
      view.setInt32(at, Math.floor(value / TWO_32))
      view.setInt32(at + 4, value | 0)
    } else view.setBigInt64(at, value)
  },
}
const float4: FixedForm = { width: 4, put: (view, at, value) => view.setFloat32(at, value as number) }
const float8: FixedForm = { width: 8, put: (view, at, value) => view.setFloat64(at, value as number) }

/**
 * By the name of the column's type. Text would cost both sides several times as much: digits to write and to read, and
 * quotes. Where a value might not fit (INT64 for an integer column) it goes as text, so that Postgres says what it says.
 */
export const binaryForms: Readonly<Record<string, BinaryForm | undefined>> = {
  smallint: { typeId: 21, fixed: int2, takes: ['INT8', 'INT16'] },
  integer: { typeId: 23, fixed: int4, takes: ['INT8', 'INT16', 'INT32'] },
  bigint: { typeId: 20, fixed: int8, takes: ['INT8', 'INT16', 'INT32', 'INT64'] },
  real: { typeId: 700, fixed: float4, takes: ['FLOAT32'] },
  'double precision': { typeId: 701, fixed: float8, takes: ['FLOAT32', 'FLOAT64'] },
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
  switch (schema.type) {
    case 'STRING':
      return (value) => (typeof value === 'string' ? value : mismatch(name, schema))
    case 'BYTES':
      return (value) => (value instanceof Uint8Array ? value : mismatch(name, schema))
    case 'FLOAT32':
    case 'FLOAT64':
      return floatBinder(name, schema, form.fixed === float4)
    default:
      return integerBinder(name, schema, 2 ** (8 * (form.fixed?.width ?? 0) - 1))
  }
}

function floatBinder(name: string, schema: Schema, isSingle: boolean): Binder {
  return (value) => {
    if (typeof value !== 'bigint' && typeof value !== 'number') return mismatch(name, schema)
    const number = Number(value)
    if (!isSingle) return number
    const single = Math.fround(number)
    // What is too large or too small would become infinite or nothing without a word.
    const isLost = Number.isFinite(number) && (!Number.isFinite(single) || (single === 0 && number !== 0))
    return isLost ? mismatch(name, schema) : single
  }
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
