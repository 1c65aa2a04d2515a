import { isAscii } from 'node:buffer'

const LF = 10
const CR = 13
/** Text is made of this many bytes at a time: longer strings are dear for the garbage collector. */
const WINDOW_BYTES = 64 * 1024
const OVERSIZE = 8

/** A line and the position of the byte after its terminator. */
export type TakeLine = (line: string, end: number) => void

/**
 * Cuts bytes into lines that end with `\n`, `\r\n` or a lone `\r`, and counts positions in bytes. Bytes of a line that
 * is not complete stay until more come; so does a `\r` at the end, whose `\n` may follow. The bytes are read into one
 * buffer that is used again and again: `space`, then `filled`.
 */
export class LineSplitter {
  #buffer: Buffer = Buffer.alloc(0)
  /** Bytes of the buffer before this hold data. */
  #length = 0
  /** Some bytes as text when they are ASCII, where characters and bytes count the same, and where they start. */
  #text: string | undefined
  #textStart = 0
  #textEnd = 0
  #hasReturn = false
  /** Position in the file of the first byte of the buffer. */
  #base: number
  #at = 0

  constructor(position: number) {
    this.#base = position
  }

  /** Position of the first byte that belongs to no complete line yet. */
  get position(): number {
    return this.#base + this.#at
  }

  /** Position of the next byte that is wanted. */
  get end(): number {
    return this.#base + this.#length
  }

  /** How many bytes wait for the end of their line. */
  get pendingBytes(): number {
    return this.#length - this.#at
  }

  /** Where the next `size` bytes may be put, those at `end`; for as long as nothing else is called but `filled`. */
  space(size: number): Buffer {
    const pending = this.pendingBytes
    const wanted = pending + size
    const before = this.#buffer
    // A buffer that grew for one long line is not kept for ever.
    const isFit = before.length >= wanted && before.length <= Math.max(wanted, WINDOW_BYTES) * OVERSIZE
    if (!isFit) this.#buffer = Buffer.allocUnsafeSlow(wanted + (wanted >> 2))
    before.copy(this.#buffer, 0, this.#at, this.#length)
    this.#base += this.#at
    this.#at = 0
    this.#length = pending
    this.#text = undefined
    this.#textEnd = 0
    return this.#buffer.subarray(pending, wanted)
  }

  /** So many bytes were put into the space that was given last. */
  filled(bytes: number): void {
    const from = this.#length
    this.#length += bytes
    const pendingReturn = this.#hasReturn && this.#buffer.subarray(this.#at, from).includes(CR)
    this.#hasReturn = pendingReturn || this.#buffer.subarray(from, this.#length).includes(CR)
  }

  /** Hands over at most `limit` lines and says how many there were. */
  take(limit: number, line: TakeLine): number {
    let count = 0
    while (count < limit) {
      const start = this.#at
      const end = this.#endOfLine(start)
      if (end < 0) break
      const text =
        this.#text !== undefined && end <= this.#textEnd
          ? this.#text.slice(start - this.#textStart, end - this.#textStart)
          : this.#buffer.toString('utf8', start, end)
      line(text, this.#base + this.#at)
      count++
    }
    return count
  }

  /** The end of the line that starts here, -1 when it is not complete; moves behind its terminator. */
  #endOfLine(start: number): number {
    const feed = this.#feedAfter(start)
    if (this.#hasReturn) {
      const back = this.#indexOf(CR, start)
      if (back >= 0 && (feed < 0 || back < feed)) {
        if (back + 1 === this.#length) return -1
        this.#at = this.#buffer[back + 1] === LF ? back + 2 : back + 1
        return back
      }
    }
    if (feed >= 0) this.#at = feed + 1
    return feed
  }

  /** In text, when there is some: searching there is cheaper than in bytes. */
  #feedAfter(start: number): number {
    if (start >= this.#textEnd) this.#makeText(start)
    if (this.#text !== undefined) {
      const found = this.#text.indexOf('\n', start - this.#textStart)
      if (found >= 0) return this.#textStart + found
      if (this.#textEnd === this.#length) return -1
      // The line goes on behind the text: the next text starts with it.
      this.#makeText(start)
      const again = this.#text === undefined ? -1 : this.#text.indexOf('\n')
      if (again >= 0) return this.#textStart + again
    }
    return this.#indexOf(LF, start)
  }

  #makeText(start: number): void {
    const end = Math.min(start + WINDOW_BYTES, this.#length)
    const bytes = this.#buffer.subarray(start, end)
    this.#text = isAscii(bytes) ? bytes.toString('latin1') : undefined
    this.#textStart = start
    this.#textEnd = end
  }

  #indexOf(byte: number, start: number): number {
    const found = this.#buffer.indexOf(byte, start)
    return found < this.#length ? found : -1
  }
}
