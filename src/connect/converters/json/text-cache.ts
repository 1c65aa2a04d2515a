import { QUOTE } from './json-bytes.ts'

/** There is a cache for each text field of each schema that was seen. */
const SLOTS = 32
const TEXT_BYTES_MAX = 64

/**
 * Texts that a field had a while ago. Fields often have few values: to find the text of one again takes less time than to
 * make it anew, and those who hold many records hold one text for all of them.
 */
export class TextCache {
  #texts: (string | undefined)[] | undefined
  #last = ''

  /** The text found last if it is what begins here and ends with a quote. */
  lastAt(bytes: Buffer, start: number): string | undefined {
    const last = this.#last
    return bytes[start + last.length] === QUOTE && isSame(last, bytes, start) ? last : undefined
  }

  /** The text of ASCII bytes without escapes, which have such a hash. */
  text(bytes: Buffer, start: number, end: number, hash: number): string {
    const length = end - start
    if (length > TEXT_BYTES_MAX) return bytes.toString('latin1', start, end)
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
    const texts = (this.#texts ??= Array.from({ length: SLOTS }, () => undefined))
    const known = texts[slot]
    if (known !== undefined && known.length === length && isSame(known, bytes, start)) {
      this.#last = known
      return known
    }
    const text = bytes.toString('latin1', start, end)
    texts[slot] = text
    return text
  }
}

function isSame(text: string, bytes: Buffer, start: number): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) !== bytes[start + index]) return false
  return true
}
