import { protocolError } from '../_shared/postgres-wire/index.ts'
import { viewOf } from '../_shared/json-output/index.ts'

/** Ends of values that are not there. */
export const NULL_VALUE = -1
export const UNCHANGED = -2

/** More columns than a Postgres table can have. */
const COLUMNS_MAX = 1700
const NOTHING = Buffer.alloc(0)

/** Whether one of the four bytes of a word is a tab or a backslash. */
function endsPlainText(word: number): boolean {
  const tab = word ^ 0x09090909
  const backslash = word ^ 0x5c5c5c5c
  return ((((tab - 0x01010101) & ~tab) | ((backslash - 0x01010101) & ~backslash)) & 0x80808080) !== 0
}

/**
 * Where the values of a row are in its bytes. One locator serves all rows, one after another, so that reading a row
 * makes no object.
 */
export class RowLocator {
  readonly starts = new Int32Array(COLUMNS_MAX)
  /** The end of each value, or NULL_VALUE or UNCHANGED. */
  readonly ends = new Int32Array(COLUMNS_MAX)
  count = 0
  /** The buffer that the positions are in. */
  source: Buffer = NOTHING
  /** The row that was found last: key and value of a record are written from the same one. */
  #row: Buffer = NOTHING
  #rowStart = -1

  /** Whether the row at this place was the last to be found, and its positions are still as they were found. */
  #isAt(buffer: Buffer, start: number): boolean {
    return this.#row === buffer && this.#rowStart === start
  }

  #found(buffer: Buffer, start: number, count: number, source: Buffer): void {
    this.count = count
    this.source = source
    this.#row = buffer
    this.#rowStart = start
  }

  /** To be called before positions are changed from outside. */
  forget(): void {
    this.#row = NOTHING
    this.#rowStart = -1
  }

  /** A tuple of pgoutput. Its lengths were checked when the message came. */
  tuple(buffer: Buffer, start: number): void {
    if (this.#isAt(buffer, start)) return
    const { starts, ends } = this
    const count = ((buffer[start] as number) << 8) | (buffer[start + 1] as number)
    let position = start + 2
    for (let column = 0; column < count; column++) {
      const kind = buffer[position]
      if (kind === 0x74) {
        const length =
          ((buffer[position + 1] as number) << 24) |
          ((buffer[position + 2] as number) << 16) |
          ((buffer[position + 3] as number) << 8) |
          (buffer[position + 4] as number)
        starts[column] = position + 5
        position += 5 + length
        ends[column] = position
      } else {
        position++
        ends[column] = kind === 0x6e ? NULL_VALUE : UNCHANGED
      }
    }
    this.#found(buffer, start, count, buffer)
  }

  /** A line of COPY in text format. */
  copyLine(buffer: Buffer, start: number, end: number): void {
    if (this.#isAt(buffer, start)) return
    const { starts, ends } = this
    // The line ends with a newline, which belongs to no value.
    const last = end > start && buffer[end - 1] === 0x0a ? end - 1 : end
    const words = viewOf(buffer)
    let column = 0
    starts[0] = start
    for (let position = start; position < last; position++) {
      // Long values are passed over four bytes at a time.
      while (position + 4 <= last && !endsPlainText(words.getInt32(position, true))) position += 4
      if (position >= last) break
      const byte = buffer[position]
      if (byte === 0x09) {
        ends[column++] = position
        starts[column] = position + 1
      } else if (byte === 0x5c) {
        const next = buffer[position + 1]
        const isNull = next === 0x4e && position === starts[column]
        if (!isNull) {
          this.#escapedLine(buffer, start, last)
          return
        }
        position++
        if (position + 1 < last) {
          position++
          ends[column++] = NULL_VALUE
          starts[column] = position + 1
        } else {
          ends[column] = NULL_VALUE
          this.#found(buffer, start, column + 1, buffer)
          return
        }
      }
    }
    ends[column] = last
    this.#found(buffer, start, column + 1, buffer)
  }

  /** The same with backslash escapes, which go into a copy. */
  #escapedLine(buffer: Buffer, start: number, last: number): void {
    const { starts, ends } = this
    const copy = Buffer.allocUnsafe(last - start)
    let to = 0
    let column = 0
    let isNull = false
    starts[0] = 0
    for (let position = start; position < last; position++) {
      const byte = buffer[position] as number
      if (byte === 0x09) {
        ends[column] = isNull ? NULL_VALUE : to
        isNull = false
        starts[++column] = to
      } else if (byte !== 0x5c) copy[to++] = byte
      else {
        const next = buffer[++position] as number
        if (next === 0x4e) isNull = true
        else copy[to++] = UNESCAPED[next] as number
      }
    }
    ends[column] = isNull ? NULL_VALUE : to
    this.#found(buffer, start, column + 1, copy)
  }

  /** Throws when the row has not as many columns as its table. */
  expect(columns: number): void {
    if (this.count !== columns) throw protocolError(`a row of ${this.count} columns where ${columns} belong`)
  }
}

const UNESCAPED = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++) UNESCAPED[byte] = byte
for (const [letter, byte] of [
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
] as const) {
  UNESCAPED[letter.charCodeAt(0)] = byte
}
