import { viewOf } from './words.ts'

const INITIAL_BYTES = 4096
/** Memory beyond this is given back after the record that needed it. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024
/** Longer records are few for their bytes, so a new view of each costs nothing. */
const VIEW_BYTES_MAX = 4096
/** Shorter texts are done before words pay. */
const WORDS_FROM = 16
const QUOTE = 0x22
const BACKSLASH = 0x5c
const HEX = Buffer.from('0123456789ABCDEF', 'latin1')
const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1')

/** The first byte of characters beyond U+FFFF, which Jackson writes as two escaped surrogates. */
const FOUR_BYTES = 0xf0

/** 1 where a byte cannot stand in a JSON string as it is. */
const MUST_ESCAPE = new Uint8Array(256)
for (let byte = 0; byte < 0x20; byte++) MUST_ESCAPE[byte] = 1
for (let byte = FOUR_BYTES; byte < 0x100; byte++) MUST_ESCAPE[byte] = 1
MUST_ESCAPE[QUOTE] = 1
MUST_ESCAPE[BACKSLASH] = 1

/** Whether one of the four bytes of a word must be escaped: exact for the lowest such byte, which is enough. */
function mustEscapeOne(word: number): boolean {
  const quote = word ^ 0x22222222
  const backslash = word ^ 0x5c5c5c5c
  const control = (word - 0x20202020) & ~word
  const others = ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash)
  const fourBytes = word & (word << 1) & (word << 2) & (word << 3)
  return ((control | others | fourBytes) & 0x80808080) !== 0
}

/** The letter after the backslash of the short escapes, 0 for those that need four hex digits. */
const SHORT_ESCAPE = new Uint8Array(256)
for (const [byte, letter] of [
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [QUOTE, '"'],
  [BACKSLASH, '\\'],
] as const) {
  SHORT_ESCAPE[byte] = letter.charCodeAt(0)
}

/**
 * Writes the JSON of one record after another into the same memory: `begin` starts a record, `take` gives its bytes,
 * which are good until the next `begin`. New memory for each record would keep the garbage collector busy.
 */
export class JsonOutput {
  buffer: Buffer
  position = 0
  #words: DataView
  /** Views of the first bytes, by length: the records of a table are of few lengths. */
  readonly #views = new Map<number, Buffer>()

  constructor(initialBytes: number = INITIAL_BYTES) {
    this.buffer = Buffer.allocUnsafeSlow(initialBytes)
    this.#words = new DataView(this.buffer.buffer)
  }

  begin(): void {
    this.position = 0
    // One large record must not hold its memory for ever.
    if (this.buffer.length > KEPT_BYTES_MAX) this.#replace(INITIAL_BYTES)
  }

  take(): Buffer {
    const length = this.position
    if (length > VIEW_BYTES_MAX) return this.buffer.subarray(0, length)
    let view = this.#views.get(length)
    if (view === undefined) {
      view = this.buffer.subarray(0, length)
      this.#views.set(length, view)
    }
    return view
  }

  /** Makes room for so many bytes; `buffer` may change. */
  ensure(bytes: number): void {
    if (this.position + bytes > this.buffer.length) this.#grow(bytes)
  }

  #grow(bytes: number): void {
    const written = this.buffer.subarray(0, this.position)
    this.#replace(Math.max(this.position + bytes, this.buffer.length * 2))
    this.buffer.set(written)
  }

  #replace(bytes: number): void {
    this.buffer = Buffer.allocUnsafeSlow(bytes)
    this.#words = new DataView(this.buffer.buffer)
    this.#views.clear()
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    const length = bytes.length
    this.ensure(length)
    const { buffer } = this
    let position = this.position
    // A loop beats a call for the short pieces that most are.
    if (length <= 24) for (let index = 0; index < length; index++) buffer[position++] = bytes[index] as number
    else {
      buffer.set(bytes, position)
      position += length
    }
    this.position = position
  }

  /** A range of bytes as they are. */
  range(source: Uint8Array, start: number, end: number): void {
    this.ensure(end - start)
    const { buffer } = this
    let position = this.position
    for (let index = start; index < end; index++) buffer[position++] = source[index] as number
    this.position = position
  }

  /** Text without characters that need escaping, all below 0x80. */
  ascii(text: string): void {
    this.ensure(text.length)
    this.position += this.buffer.write(text, this.position, 'latin1')
  }

  byte(value: number): void {
    this.ensure(1)
    this.buffer[this.position++] = value
  }

  /** A safe integer in decimal digits. */
  integer(value: number): void {
    this.ensure(20)
    const { buffer } = this
    let left = value
    if (left < 0) {
      buffer[this.position++] = 0x2d
      left = -left
    }
    let digits = 1
    for (let limit = 10; left >= limit; limit *= 10) digits++
    this.position += digits
    writeDigits(buffer, this.position, left)
  }

  /** UTF-8 bytes as a JSON string. */
  string(source: Uint8Array, start: number, end: number): void {
    this.ensure(end - start + 2)
    const { buffer } = this
    let position = this.position
    buffer[position++] = QUOTE
    let index = start
    if (end - start >= WORDS_FROM) {
      // Four bytes at a time, as long as none of them must be escaped.
      const words = viewOf(source)
      const into = this.#words
      for (; index + 4 <= end; index += 4, position += 4) {
        const word = words.getInt32(index, true)
        if (mustEscapeOne(word)) break
        into.setInt32(position, word, true)
      }
    }
    for (; index < end; index++) {
      const byte = source[index] as number
      if (MUST_ESCAPE[byte] === 1) {
        this.position = position
        this.#escaped(source, index, end)
        return
      }
      buffer[position++] = byte
    }
    buffer[position++] = QUOTE
    this.position = position
  }

  #escaped(source: Uint8Array, start: number, end: number): void {
    this.ensure((end - start) * 6 + 1)
    const { buffer } = this
    for (let index = start; index < end; index++) {
      const byte = source[index] as number
      if (MUST_ESCAPE[byte] === 0) buffer[this.position++] = byte
      else if (byte < FOUR_BYTES) this.#escape(byte)
      else {
        const next = Math.min(index + 4, end)
        this.#surrogates(source, index, next)
        index = next - 1
      }
    }
    buffer[this.position++] = QUOTE
  }

  #escape(unit: number): void {
    const { buffer } = this
    buffer[this.position++] = BACKSLASH
    const short = unit < 0x80 ? (SHORT_ESCAPE[unit] as number) : 0
    if (short !== 0) {
      buffer[this.position++] = short
      return
    }
    buffer[this.position++] = 0x75
    for (let shift = 12; shift >= 0; shift -= 4) buffer[this.position++] = HEX[(unit >> shift) & 15] as number
  }

  /** A character of four bytes; what is none stays as it is. */
  #surrogates(source: Uint8Array, start: number, end: number): void {
    let point = (source[start] as number) & 0x0f
    let isWhole = end - start === 4
    for (let index = start + 1; index < end; index++) {
      const byte = source[index] as number
      isWhole &&= (byte & 0xc0) === 0x80
      point = (point << 6) | (byte & 0x3f)
    }
    if (!isWhole || point < 0x10000 || point > 0x10ffff) {
      for (let index = start; index < end; index++) this.buffer[this.position++] = source[index] as number
      return
    }
    this.#escape(0xd7c0 + (point >> 10))
    this.#escape(0xdc00 + (point & 0x3ff))
  }

  /** Text as a JSON string. */
  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8')
    this.string(bytes, 0, bytes.length)
  }

  /** Bytes as a JSON string in base64. */
  base64(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.ensure(Math.ceil((end - start) / 3) * 4 + 2)
    const { buffer } = this
    let position = this.position
    buffer[position++] = QUOTE
    let index = start
    for (; index + 2 < end; index += 3) {
      const group =
        ((bytes[index] as number) << 16) | ((bytes[index + 1] as number) << 8) | (bytes[index + 2] as number)
      buffer[position++] = BASE64[group >> 18] as number
      buffer[position++] = BASE64[(group >> 12) & 63] as number
      buffer[position++] = BASE64[(group >> 6) & 63] as number
      buffer[position++] = BASE64[group & 63] as number
    }
    const left = end - index
    if (left > 0) {
      const group = ((bytes[index] as number) << 16) | ((left === 2 ? (bytes[index + 1] as number) : 0) << 8)
      buffer[position++] = BASE64[group >> 18] as number
      buffer[position++] = BASE64[(group >> 12) & 63] as number
      buffer[position++] = left === 2 ? (BASE64[(group >> 6) & 63] as number) : 0x3d
      buffer[position++] = 0x3d
    }
    buffer[position++] = QUOTE
    this.position = position
  }
}

/** Writes the digits of a whole number that is not negative so that they end before `end`. */
export function writeDigits(buffer: Buffer, end: number, value: number): void {
  let at = end
  let left = value
  // Small integers divide much faster than doubles.
  while (left >= 1e9) {
    const high = Math.floor(left / 1e6)
    let low = left - high * 1e6
    for (let count = 0; count < 6; count++) {
      const tenth = (low / 10) | 0
      buffer[--at] = 0x30 + low - tenth * 10
      low = tenth
    }
    left = high
  }
  let rest = left | 0
  do {
    const tenth = (rest / 10) | 0
    buffer[--at] = 0x30 + rest - tenth * 10
    rest = tenth
  } while (rest !== 0)
}
