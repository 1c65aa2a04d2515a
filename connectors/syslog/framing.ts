const NEWLINE = 0x0a
const SPACE = 0x20
const MAX_COUNT_DIGITS = 10

/**
 * Cuts a stream into messages (RFC 6587): one that begins with a digit is counted in octets, any other ends with a line.
 * Senders may even mix both, since no message begins with a digit itself.
 */
export class FrameSplitter {
  readonly #maxBytes: number
  #rest: Buffer = Buffer.alloc(0)

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The messages that are complete now. Throws a RangeError for one that is too long, or whose count makes no sense. */
  push(chunk: Buffer): Buffer[] {
    const messages: Buffer[] = []
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (at < bytes.length) {
      const end = isDigit(bytes[at]!) ? this.#counted(bytes, at) : this.#line(bytes, at)
      if (end === undefined) break
      const [from, to, next] = end
      if (to > from) messages.push(bytes.subarray(from, to))
      at = next
    }
    // A copy: the rest must not keep a chunk in memory.
    this.#rest = Buffer.from(bytes.subarray(at))
    return messages
  }

  /** What is left when the sender has gone: its last line may have no end. */
  end(): Buffer | null {
    const rest = this.#rest
    this.#rest = Buffer.alloc(0)
    return rest.length === 0 || isDigit(rest[0]!) ? null : rest
  }

  #counted(bytes: Buffer, at: number): [number, number, number] | undefined {
    let from = at
    while (from < bytes.length && isDigit(bytes[from]!)) from++
    if (from - at > MAX_COUNT_DIGITS) throw new RangeError('the count of a message has too many digits')
    if (from === bytes.length) return undefined
    if (bytes[from] !== SPACE) throw new RangeError('a message begins with a digit that is no count of octets')
    const count = Number(bytes.toString('latin1', at, from))
    if (count > this.#maxBytes) throw new RangeError(`a message has ${count} bytes`)
    const to = from + 1 + count
    return to > bytes.length ? undefined : [from + 1, trimmed(bytes, from + 1, to), to]
  }

  #line(bytes: Buffer, at: number): [number, number, number] | undefined {
    // Some senders end messages with NUL.
    const newline = bytes.indexOf(NEWLINE, at)
    const end = newline === -1 ? bytes.indexOf(0, at) : newline
    if ((end === -1 ? bytes.length : end) - at > this.#maxBytes) throw new RangeError('a message is too long')
    return end === -1 ? undefined : [at, trimmed(bytes, at, end), end + 1]
  }
}

/** The end without line ends and NULs. */
export function trimmed(bytes: Buffer, from: number, to: number): number {
  let end = to
  while (end > from && (bytes[end - 1] === NEWLINE || bytes[end - 1] === 0x0d || bytes[end - 1] === 0)) end--
  return end
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}
