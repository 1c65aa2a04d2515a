import { isAscii } from 'node:buffer'

const LF = 10
const CR = 13

/** A line and the position of the byte after its terminator. */
export type TakeLine = (line: string, end: number) => void

/**
 * Cuts bytes into lines that end with `\n`, `\r\n` or a lone `\r`, and counts positions in bytes. Bytes of a line that
 * is not complete stay until more come; so does a `\r` at the end, whose `\n` may follow.
 */
export class LineSplitter {
  #bytes: Buffer = Buffer.alloc(0)
  /** The bytes as text when they are ASCII, where characters and bytes count the same. */
  #text: string | undefined
  #hasReturn = false
  /** Position in the file of the first byte of `#bytes`. */
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
    return this.#base + this.#bytes.length
  }

  /** How many bytes wait for the end of their line. */
  get pendingBytes(): number {
    return this.#bytes.length - this.#at
  }

  /** Adds bytes; the chunk must not change afterwards. */
  push(chunk: Buffer): void {
    const rest = this.#bytes.subarray(this.#at)
    this.#base += this.#at
    this.#at = 0
    this.#bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    this.#text = isAscii(this.#bytes) ? this.#bytes.toString('latin1') : undefined
    this.#hasReturn = this.#bytes.includes(CR)
  }

  /** Hands over at most `limit` lines and says how many there were. */
  take(limit: number, line: TakeLine): number {
    let count = 0
    while (count < limit) {
      const start = this.#at
      const end = this.#endOfLine(start)
      if (end < 0) break
      const text = this.#text === undefined ? this.#bytes.toString('utf8', start, end) : this.#text.slice(start, end)
      line(text, this.#base + this.#at)
      count++
    }
    return count
  }

  /** The end of the line that starts here, -1 when it is not complete; moves behind its terminator. */
  #endOfLine(start: number): number {
    const feed = this.#text === undefined ? this.#bytes.indexOf(LF, start) : this.#text.indexOf('\n', start)
    if (this.#hasReturn) {
      const back = this.#bytes.indexOf(CR, start)
      if (back >= 0 && (feed < 0 || back < feed)) {
        if (back + 1 === this.#bytes.length) return -1
        this.#at = this.#bytes[back + 1] === LF ? back + 2 : back + 1
        return back
      }
    }
    if (feed >= 0) this.#at = feed + 1
    return feed
  }
}
