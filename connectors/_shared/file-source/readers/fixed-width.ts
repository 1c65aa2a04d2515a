import type { TextWindow } from '../text-window.ts'
import type { CellParser, Cells } from './cells.ts'

/** How a line is cut into cells by their widths. */
export interface FixedWidthFormat {
  /** In characters. */
  readonly widths: readonly number[]
  /** What cells are filled up with, on either side. */
  readonly padding: string
  readonly emptyIsNull: boolean
}

/** Cuts lines into cells of fixed widths. Cells behind the end of a line are empty: many writers leave blanks there out. */
export class FixedWidthParser implements CellParser {
  readonly #format: FixedWidthFormat
  readonly #window: TextWindow

  constructor(format: FixedWidthFormat, window: TextWindow) {
    this.#format = format
    this.#window = window
  }

  next(): Cells | undefined {
    const line = this.#window.line()
    if (line === undefined) return undefined
    if (line === '') return []
    const { widths, padding, emptyIsNull } = this.#format
    // A character outside of the basic plane is one, though JavaScript counts two.
    const characters = SURROGATE.test(line) ? Array.from(line) : null
    let start = 0
    return widths.map((width) => {
      const end = start + width
      const padded = characters === null ? line.slice(start, end) : characters.slice(start, end).join('')
      start = end
      const cell = trimmed(padded, padding)
      return cell === '' && emptyIsNull ? null : cell
    })
  }

  skipLine(): boolean {
    return this.#window.line() !== undefined
  }
}

const SURROGATE = /[\ud800-\udfff]/

function trimmed(text: string, padding: string): string {
  let [start, end] = [0, text.length]
  while (start < end && text[start] === padding) start++
  while (end > start && text[end - 1] === padding) end--
  return text.slice(start, end)
}
