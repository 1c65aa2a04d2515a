import type { Argument } from './operations.ts'

const DOLLAR = 0x24
const STAR = 0x2a
const CR = 0x0d
const LF = 0x0a
const ZERO = 0x30
/** Longer text is written by the engine, which is faster then. */
const SHORT = 48
/** The head of an argument, `$<length>\r\n`, and its end. */
const AROUND_BYTES = 20
/** The most bytes that UTF-8 has for one unit of UTF-16. */
const UNIT_BYTES = 3

/** More bytes than arguments take. Bytes are counted as text is, for what is too much is never written to. */
export function mostBytesOf(args: readonly Argument[]): number {
  let most = AROUND_BYTES * args.length
  for (const argument of args) most += UNIT_BYTES * argument.length
  return most
}

/** Writes a command of Redis's protocol into memory that is large enough. */
export class RespWriter {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer, argumentCount: number) {
    this.#bytes = bytes
    this.#line(STAR, argumentCount)
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  add(argument: Argument): void {
    if (typeof argument !== 'string') {
      this.#line(DOLLAR, argument.length)
      this.#bytes.set(argument, this.#at)
      this.#at += argument.length
    } else if (argument.length > SHORT || !this.#addAscii(argument)) {
      this.#line(DOLLAR, Buffer.byteLength(argument))
      this.#at += this.#bytes.write(argument, this.#at)
    }
    this.#end()
  }

  addNumber(value: number): void {
    this.#line(DOLLAR, digitsOf(value))
    this.#digits(value)
    this.#end()
  }

  /** False, with nothing written, for text that is more than ASCII. */
  #addAscii(text: string): boolean {
    const start = this.#at
    this.#line(DOLLAR, text.length)
    const bytes = this.#bytes
    let at = this.#at
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (unit >= 0x80) {
        this.#at = start
        return false
      }
      bytes[at++] = unit
    }
    this.#at = at
    return true
  }

  #line(mark: number, value: number): void {
    this.#bytes[this.#at++] = mark
    this.#digits(value)
    this.#end()
  }

  #digits(value: number): void {
    const end = this.#at + digitsOf(value)
    let rest = value
    for (let at = end - 1; at >= this.#at; at--) {
      this.#bytes[at] = ZERO + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    this.#at = end
  }

  #end(): void {
    this.#bytes[this.#at++] = CR
    this.#bytes[this.#at++] = LF
  }
}

function digitsOf(value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  return digits
}
