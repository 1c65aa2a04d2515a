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
    const value = this.#window.line()
    return value === undefined ? undefined : { key: null, keySchema: null, value, valueSchema: schemas.string }
  }
}
