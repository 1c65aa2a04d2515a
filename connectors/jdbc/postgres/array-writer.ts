import type { BoundRow, SqlValue } from '../sql.ts'
import { escapeElement } from './binders.ts'
import { BARE, type BinaryForm, binaryForms } from './forms.ts'
import type { WireBuffer } from './wire-buffer.ts'

const TWO_32 = 2 ** 32
const [OPEN, CLOSE, COMMA, QUOTE] = [0x7b, 0x7d, 0x2c, 0x22] as const

/** Whether an array in this form is binary for the server. */
export const isBinary = (form: string): boolean => binaryForms[form] !== undefined

/** Writes one column of the rows as an array in its form. */
export function writeArray(out: WireBuffer, rows: readonly BoundRow[], column: number, form: string): void {
  const binary = binaryForms[form]
  if (binary === undefined) writeTexts(out, rows, column, form !== BARE)
  else writeBinary(out, rows, column, binary)
}

/** Dimensions, whether there are nulls, type, length, first index; then length and bytes of each value. */
function writeBinary(out: WireBuffer, rows: readonly BoundRow[], column: number, form: BinaryForm): void {
  const { width, isFloat = false, typeId } = form
  const hasNull = rows.some((row) => row[column] === null)
  out.reserve(20 + rows.length * (4 + (width ?? 0)))
  out.int32(1)
  out.int32(hasNull ? 1 : 0)
  out.int32(typeId)
  out.int32(rows.length)
  out.int32(1)
  if (width === undefined) writeVarying(out, rows, column)
  else if (isFloat) writeFloats(out, rows, column, width === 8)
  else if (width === 8) writeInt64s(out, rows, column)
  else writeIntegers(out, rows, column, width)
}

function writeVarying(out: WireBuffer, rows: readonly BoundRow[], column: number): void {
  for (let i = 0; i < rows.length; i++) {
    const value = valueAt(rows, i, column)
    const start = out.startLength()
    if (value === null) {
      out.view.setInt32(start - 4, -1)
      continue
    }
    if (typeof value === 'string') out.text(value)
    else out.raw(value as Uint8Array)
    out.endLength(start)
  }
}

function writeFloats(out: WireBuffer, rows: readonly BoundRow[], column: number, isDouble: boolean): void {
  const { view } = out
  const width = isDouble ? 8 : 4
  let { at } = out
  for (let i = 0; i < rows.length; i++) {
    const value = valueAt(rows, i, column)
    view.setInt32(at, value === null ? -1 : width)
    at += 4
    if (value === null) continue
    if (isDouble) view.setFloat64(at, value as number)
    else view.setFloat32(at, value as number)
    at += width
  }
  out.at = at
}

function writeInt64s(out: WireBuffer, rows: readonly BoundRow[], column: number): void {
  const { view } = out
  let { at } = out
  for (let i = 0; i < rows.length; i++) {
    const value = valueAt(rows, i, column)
    view.setInt32(at, value === null ? -1 : 8)
    at += 4
    if (value === null) continue
    if (typeof value === 'number') {
      view.setInt32(at, Math.floor(value / TWO_32))
      view.setInt32(at + 4, value | 0)
    } else view.setBigInt64(at, value as bigint)
    at += 8
  }
  out.at = at
}

function writeIntegers(out: WireBuffer, rows: readonly BoundRow[], column: number, width: 2 | 4): void {
  const { view } = out
  let { at } = out
  for (let i = 0; i < rows.length; i++) {
    const value = valueAt(rows, i, column)
    view.setInt32(at, value === null ? -1 : width)
    at += 4
    if (value === null) continue
    if (width === 4) view.setInt32(at, value as number)
    else view.setInt16(at, value as number)
    at += width
  }
  out.at = at
}

function writeTexts(out: WireBuffer, rows: readonly BoundRow[], column: number, quoted: boolean): void {
  out.reserve(1)
  out.byte(OPEN)
  for (let i = 0; i < rows.length; i++) {
    const value = valueAt(rows, i, column)
    out.reserve(2)
    if (i > 0) out.byte(COMMA)
    if (value === null) out.text('NULL')
    else if (quoted) writeQuoted(out, value as string)
    else out.text(value as string)
  }
  out.reserve(1)
  out.byte(CLOSE)
}

function writeQuoted(out: WireBuffer, text: string): void {
  out.byte(QUOTE)
  out.text(escapeElement(text))
  out.reserve(1)
  out.byte(QUOTE)
}

function valueAt(rows: readonly BoundRow[], row: number, column: number): SqlValue {
  return (rows[row] as BoundRow)[column] ?? null
}
