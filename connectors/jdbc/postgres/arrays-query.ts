import type pg from 'pg'
import type { ColumnArrays, SqlResult } from '../sql.ts'
import { isBinary, writeArray } from './array-writer.ts'
import { RowsQuery } from './rows-query.ts'
import type { WireBuffer } from './wire-buffer.ts'

const CODE = (letter: string): number => letter.charCodeAt(0)
const [PARSE, BIND, EXECUTE, SYNC] = ['P', 'B', 'E', 'S'].map(CODE) as [number, number, number, number]
/** What execution may give at most: all. */
const ALL_ROWS = 0

/** What the driver knows of the statements that are prepared on its connection. */
type PreparingConnection = pg.Connection & { readonly parsedStatements: Readonly<Record<string, string | undefined>> }

/** A statement whose parameters are arrays, which are written from the rows into the memory of the message itself. */
export class ArraysQuery extends RowsQuery {
  readonly #arrays: ColumnArrays
  readonly #out: WireBuffer
  /** Read by the driver, which remembers what is prepared. */
  readonly text: string
  readonly name: string

  constructor(
    { text, name = '', arrays }: { text: string; name: string | undefined; arrays: ColumnArrays },
    out: WireBuffer,
    callback: (error: Error | null, result?: SqlResult) => void,
  ) {
    super(text, callback)
    this.text = text
    this.name = name
    this.#arrays = arrays
    this.#out = out
  }

  /** The driver calls this when the statement before has ended: the server has read what was in the memory. */
  override submit(connection: pg.Connection): void {
    const out = this.#out
    out.clear()
    const isPrepared = this.name !== '' && (connection as PreparingConnection).parsedStatements[this.name] !== undefined
    if (!isPrepared) this.#parse(out)
    this.#bind(out)
    const execute = startMessage(out, EXECUTE)
    out.name('')
    out.reserve(4)
    out.int32(ALL_ROWS)
    out.endLength(execute, true)
    out.endLength(startMessage(out, SYNC), true)
    if (connection.stream.writable) connection.stream.write(out.written())
  }

  #parse(out: WireBuffer): void {
    const start = startMessage(out, PARSE)
    out.name(this.name)
    out.name(this.text)
    out.reserve(2)
    out.int16(0)
    out.endLength(start, true)
  }

  #bind(out: WireBuffer): void {
    const { forms, rows } = this.#arrays
    const start = startMessage(out, BIND)
    out.name('')
    out.name(this.name)
    out.reserve(4 + 2 * forms.length)
    out.int16(forms.length)
    for (const form of forms) out.int16(isBinary(form) ? 1 : 0)
    out.int16(forms.length)
    for (const [at, form] of forms.entries()) {
      const length = out.startLength()
      writeArray(out, rows, at, form)
      out.endLength(length)
    }
    out.reserve(2)
    out.int16(0)
    out.endLength(start, true)
  }
}

function startMessage(out: WireBuffer, code: number): number {
  out.reserve(1)
  out.byte(code)
  return out.startLength()
}
