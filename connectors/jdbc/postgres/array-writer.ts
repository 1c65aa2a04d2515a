import type { BoundRow, SqlValue } from '../sql.ts'
import { escapeElement } from './binders.ts'
import { BARE, type BinaryForm, binaryForms, type FixedForm } from './forms.ts'
import type { WireBuffer } from './wire-buffer.ts'

const NULL_LENGTH = -1
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
  const width = form.fixed?.width ?? 0
  out.reserve(20 + rows.length * (4 + width))
  out.int32(1)
  const hasNulls = out.at
  out.int32(0)
  out.int32(form.typeId)
  out.int32(rows.length)
  out.int32(1)
  const nulls = form.fixed ? writeFixed(out, rows, column, form.fixed) : writeVarying(out, rows, column)
  if (nulls > 0) out.view.setInt32(hasNulls, 1)
}

/** Gives the number of nulls. */
function writeVarying(out: WireBuffer, rows: readonly BoundRow[], column: number): number {
  let nulls = 0
  for (let i = 0; i < rows.length; i++) {
    const value = valueAt(rows, i, column)
    const start = out.startLength()
    if (value === null) {
      out.view.setInt32(start - 4, NULL_LENGTH)
      nulls++
      continue
    }
    if (typeof value === 'string') out.text(value)
    else out.raw(value as Uint8Array)
    out.endLength(start)
  }
  return nulls
}

/** Gives the number of nulls. */
function writeFixed(out: WireBuffer, rows: readonly BoundRow[], column: number, { width, put }: FixedForm): number {
  const { view } = out
  let { at } = out
  let nulls = 0
  for (let i = 0; i < rows.length; i++) {
    const value = valueAt(rows, i, column)
    view.setInt32(at, value === null ? NULL_LENGTH : width)
    at += 4
    if (value === null) nulls++
    else {
      put(view, at, value as number | bigint)
      at += width
    }
  }
  out.at = at
  return nulls
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
