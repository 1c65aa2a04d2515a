import { schemas } from '@millrace/sdk'
import type { FileReader, Row } from '../reader.ts'
import { TextWindow } from '../text-window.ts'

/** Each line is a text. Lines end with `\n` or `\r\n`; the last one may have no end. */
export class LinesReader implements FileReader {
  readonly isReady = true
  readonly #window: TextWindow

  constructor(charset: string) {
    this.#window = new TextWindow(charset)
  }

  get position(): number {
    return this.#window.positionOf(this.#window.at)
  }

  push(chunk: Uint8Array, isLast: boolean): void {
    this.#window.push(chunk, isLast)
  }

  prepare(): void {}

  seek(position: number): void {
    this.#window.seek(position)
  }

  next(): Row | undefined {
    const window = this.#window
    const { text, at } = window
    const feed = text.indexOf('\n', at)
    if (feed < 0 && (!window.isLast || at >= text.length)) return undefined
    const end = feed < 0 ? text.length : feed
    window.at = feed < 0 ? end : feed + 1
    const stop = end > at && text.charCodeAt(end - 1) === 13 ? end - 1 : end
    return { key: null, keySchema: null, value: window.decode(text.slice(at, stop)), valueSchema: schemas.string }
  }
}
