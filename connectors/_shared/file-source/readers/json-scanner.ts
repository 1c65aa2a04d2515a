import { DataError } from '@millrace/sdk'
import type { TextWindow } from '../text-window.ts'

const BLANK = /[^\s,]/g

/**
 * Finds the JSON values of a text: objects one after another, one a line or not, or the elements of one array. Text is
 * scanned once, however its chunks are cut.
 */
export class JsonScanner {
  readonly #window: TextWindow
  /** How far the open value was scanned, counted from its start, and what was met there. */
  #scanned = 0
  #depth = 0
  #inString = false

  constructor(window: TextWindow) {
    this.#window = window
  }

  /** The next value as text; undefined when more bytes are needed. */
  next(): string | undefined {
    const window = this.#window
    if (this.#scanned === 0 && !this.#toStart()) return undefined
    const { text, at } = window
    let index = at + this.#scanned
    for (; index < text.length; index++) {
      const char = text.charCodeAt(index)
      if (this.#inString) {
        // What follows the backslash is looked at when it is there.
        if (char === BACKSLASH) {
          if (index + 1 >= text.length) break
          index++
        } else if (char === QUOTE) this.#inString = false
      } else if (char === QUOTE) this.#inString = true
      else if (char === OPEN_BRACE || char === OPEN_BRACKET) this.#depth++
      else if ((char === CLOSE_BRACE || char === CLOSE_BRACKET) && --this.#depth === 0) {
        this.#scanned = 0
        window.at = index + 1
        return text.slice(at, index + 1)
      }
    }
    this.#scanned = index - at
    if (window.isLast) throw new DataError(`the JSON value at byte ${window.positionOf(at)} is cut off`)
    return undefined
  }

  /** Goes to where a value starts, over the brackets of an array around all of them. */
  #toStart(): boolean {
    const window = this.#window
    for (;;) {
      BLANK.lastIndex = window.at
      const found = BLANK.exec(window.text)
      if (found === null) {
        window.at = window.text.length
        return false
      }
      window.at = found.index
      const char = found[0]
      if (char === '{') return true
      if (char !== '[' && char !== ']') {
        throw new DataError(`there is no JSON object at byte ${window.positionOf(found.index)}`)
      }
      window.at++
    }
  }

  reset(): void {
    this.#scanned = this.#depth = 0
    this.#inString = false
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
