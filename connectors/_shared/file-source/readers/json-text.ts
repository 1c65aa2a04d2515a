/** What cannot stand in a JSON string as it is, or is written otherwise than Java's Jackson does by `JSON.stringify`. */
// oxlint-disable-next-line no-control-regex
const SPECIAL = /["\\\u0000-\u001f\ud800-\udfff]/
/** Of text with one character a byte: all beyond ASCII is special, for it has to be decoded first, and ends of lines are not. */
// oxlint-disable-next-line no-control-regex
export const SPECIAL_BYTES: RegExp = /["\\\u0000-\u0009\u000b\u000c\u000e-\u001f\u0080-\u00ff]|\r(?!\n)/g

/**
 * A JSON string as Jackson writes it: hexadecimal digits of escapes in upper case, characters outside of the basic plane as
 * two escapes. Keys must be equal to what Java wrote, or they would go to another partition.
 */
export function jsonString(text: string): string {
  if (!SPECIAL.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(/\\(?:u[0-9a-f]{4}|[^u])|[\ud800-\udfff]/g, (part) => {
    if (part.length === 2) return part
    const hex = part.length === 1 ? part.charCodeAt(0).toString(16) : part.slice(2)
    return `\\u${hex.toUpperCase()}`
  })
}

/** Memory for the JSON of one record after another. */
export class JsonBuffer {
  #buffer: Buffer = Buffer.allocUnsafeSlow(8192)

  /** The bytes of the text, good until the next call. */
  write(text: string): Buffer {
    const most = text.length * 3
    if (this.#buffer.length < most) this.#buffer = Buffer.allocUnsafeSlow(most * 2)
    // One large record must not hold its memory for ever.
    else if (this.#buffer.length > KEPT_BYTES_MAX && most < KEPT_BYTES_MAX) {
      this.#buffer = Buffer.allocUnsafeSlow(KEPT_BYTES_MAX)
    }
    return this.#buffer.subarray(0, this.#buffer.write(text, 0, 'utf8'))
  }
}

const KEPT_BYTES_MAX = 1024 * 1024
