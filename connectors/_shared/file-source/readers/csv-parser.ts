import { DataError } from '@millrace/sdk'
import type { TextWindow } from '../text-window.ts'
import type { CellParser, Cells } from './cells.ts'

/** How a line of CSV is cut into cells. */
export interface CsvFormat {
  readonly separator: string
  readonly quote: string
  /** Null for RFC 4180, which knows no character that escapes. */
  readonly escape: string | null
  /** Characters outside of quotes are ignored. */
  readonly strictQuotes: boolean
  /** White space before a quote is ignored. */
  readonly ignoreLeadingWhitespace: boolean
  /** Quotes do not protect separators. */
  readonly ignoreQuotations: boolean
  readonly keepCarriageReturn: boolean
  readonly nullFieldIndicator: 'NEITHER' | 'EMPTY_SEPARATORS' | 'EMPTY_QUOTES' | 'BOTH'
}

const NEVER = Number.POSITIVE_INFINITY

/**
 * Cuts a window of text into rows as opencsv does, which the options are those of. Most lines hold neither a quote nor an
 * escape, and are split at once: where the next of these is in the window is looked up once and not for each line.
 */
export class CsvParser implements CellParser {
  readonly #format: CsvFormat
  readonly #window: TextWindow
  readonly #emptyIsNull: boolean
  #text = ''
  #nextQuote = -1
  #nextEscape = -1

  constructor(format: CsvFormat, window: TextWindow) {
    this.#format = format
    this.#window = window
    this.#emptyIsNull = ['EMPTY_SEPARATORS', 'BOTH'].includes(format.nullFieldIndicator)
  }

  next(): Cells | undefined {
    const window = this.#window
    const { text, at } = window
    if (this.#text !== text) {
      this.#text = text
      this.#nextQuote = this.#nextEscape = -1
    }
    if (at >= text.length) return undefined
    const feed = text.indexOf('\n', at)
    if (feed < 0 && !window.isLast) return undefined
    const end = feed < 0 ? text.length : feed
    if (this.#findQuote(at) < end || this.#findEscape(at) < end) return this.#careful(at)
    window.at = feed < 0 ? end : feed + 1
    const stop = this.#lineEnd(at, end)
    if (stop === at) return []
    const line = window.decode(text.slice(at, stop))
    if (this.#format.strictQuotes) return line.split(this.#format.separator).map(() => this.#empty(false))
    const cells: Cells = line.split(this.#format.separator)
    return this.#emptyIsNull ? cells.map((cell) => (cell === '' ? null : cell)) : cells
  }

  skipLine(): boolean {
    const window = this.#window
    const feed = window.text.indexOf('\n', window.at)
    if (feed < 0 && !window.isLast) return false
    window.at = feed < 0 ? window.text.length : feed + 1
    return true
  }

  #lineEnd(start: number, end: number): number {
    return !this.#format.keepCarriageReturn && end > start && this.#text.charCodeAt(end - 1) === 13 ? end - 1 : end
  }

  #findQuote(from: number): number {
    if (this.#nextQuote < from) {
      const found = this.#text.indexOf(this.#format.quote, from)
      this.#nextQuote = found < 0 ? NEVER : found
    }
    return this.#nextQuote
  }

  #findEscape(from: number): number {
    if (this.#nextEscape < from) {
      const { escape } = this.#format
      const found = escape === null ? -1 : this.#text.indexOf(escape, from)
      this.#nextEscape = found < 0 ? NEVER : found
    }
    return this.#nextEscape
  }

  #empty(isQuoted: boolean): string | null {
    const { nullFieldIndicator } = this.#format
    if (nullFieldIndicator === 'NEITHER') return ''
    if (nullFieldIndicator === 'BOTH') return null
    return isQuoted === (nullFieldIndicator === 'EMPTY_QUOTES') ? null : ''
  }

  #careful(start: number): Cells | undefined {
    return this.#format.escape === null ? this.#rfc4180(start) : this.#opencsv(start, this.#format.escape)
  }

  #cell(raw: string, isQuoted: boolean): string | null {
    return raw === '' ? this.#empty(isQuoted) : this.#window.decode(raw)
  }

  #unterminated(start: number): undefined {
    if (!this.#window.isLast) return undefined
    throw new DataError(`the quote of the row at byte ${this.#window.positionOf(start)} is never closed`)
  }

  /** Quotes around a cell, doubled within it; a backslash is a character as all others. */
  #rfc4180(start: number): Cells | undefined {
    const text = this.#text
    const { separator, quote } = this.#format
    const cells: Cells = []
    let at = start
    for (;;) {
      let raw = ''
      let isQuoted = false
      if (text[at] === quote) {
        isQuoted = true
        for (at++; ; at += 2) {
          const close = text.indexOf(quote, at)
          if (close < 0) return this.#unterminated(start)
          raw += text.slice(at, close)
          at = close
          if (text[close + 1] !== quote) break
          raw += quote
        }
        at++
      }
      const feed = indexOrEnd(text, '\n', at)
      const comma = text.indexOf(separator, at)
      const end = comma >= 0 && comma < feed ? comma : feed
      if (end === text.length && !this.#window.isLast) return undefined
      const isLineEnd = end === feed
      const stop = isLineEnd ? this.#lineEnd(at, end) : end
      // What follows the closing quote belongs to the cell, as with opencsv.
      cells.push(this.#cell(raw + text.slice(at, stop), isQuoted))
      at = end + 1
      if (isLineEnd) break
    }
    this.#window.at = Math.min(at, text.length)
    return cells
  }

  /** The state machine of opencsv, with all that it does to quotes in the middle of a cell. */
  #opencsv(start: number, escape: string): Cells | undefined {
    const text = this.#text
    const { separator, quote, strictQuotes, ignoreQuotations, ignoreLeadingWhitespace } = this.#format
    const cells: Cells = []
    let raw = ''
    let inQuotes = false
    let inField = false
    let isQuoted = false
    let lineStart = start
    let at = start
    for (; at < text.length; at++) {
      const char = text[at] as string
      if (char === '\n') {
        if (!inQuotes || ignoreQuotations) break
        raw += char
        lineStart = at + 1
      } else if (char === escape && escape !== quote) {
        if (!strictQuotes) inField = true
        const following = text[at + 1]
        if (following === undefined && !this.#window.isLast) return undefined
        if (((inQuotes && !ignoreQuotations) || inField) && (following === quote || following === escape)) {
          raw += following
          at++
        }
      } else if (char === quote) {
        const following = text[at + 1]
        if (following === undefined && !this.#window.isLast) return undefined
        if (((inQuotes && !ignoreQuotations) || inField) && following === quote) {
          raw += quote
          at++
        } else {
          inQuotes = !inQuotes
          if (raw === '') isQuoted = true
          // A quote in the middle of a cell, as in a,bc"d"ef,g, is part of it.
          const isMiddle =
            at - lineStart > 2 &&
            text[at - 1] !== separator &&
            following !== undefined &&
            following !== separator &&
            !isLineEnd(text, at + 1)
          if (!strictQuotes && isMiddle) {
            if (ignoreLeadingWhitespace && raw !== '' && /^\s+$/.test(raw)) raw = ''
            else raw += char
          }
        }
        inField = !inField
      } else if (char === separator && !(inQuotes && !ignoreQuotations)) {
        cells.push(this.#cell(raw, isQuoted))
        raw = ''
        isQuoted = inField = false
      } else if (!strictQuotes || (inQuotes && !ignoreQuotations)) {
        if (char === '\r' && text[at + 1] === undefined && !this.#window.isLast) return undefined
        if (char === '\r' && !this.#format.keepCarriageReturn && isLineEnd(text, at) && !inQuotes) continue
        raw += char
        inField = true
      }
    }
    if (at >= text.length && !this.#window.isLast) return undefined
    if (inQuotes && !ignoreQuotations) return this.#unterminated(start)
    cells.push(this.#cell(raw, isQuoted))
    this.#window.at = Math.min(at + 1, text.length)
    return cells
  }
}

/** Whether a line ends here: a feed, a return before one, or the end of the text. */
function isLineEnd(text: string, at: number): boolean {
  const char = text[at]
  return char === undefined || char === '\n' || (char === '\r' && (text[at + 1] === '\n' || text[at + 1] === undefined))
}

function indexOrEnd(text: string, part: string, from: number): number {
  const found = text.indexOf(part, from)
  return found < 0 ? text.length : found
}
