import { isAscii } from 'node:buffer'
import { DataError } from '@millrace/sdk'

/** A larger record is taken for a file that is no text; it would have to fit into memory and into a message. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024
const NOT_ASCII = /[\u0080-\u00ff]/

const WIDE = /^(utf-16|utf-?32|ucs-2|iso-10646)/i
const DECODED: Readonly<Record<string, 'utf8' | 'latin1'>> = { 'utf-8': 'utf8', utf8: 'utf8', 'us-ascii': 'latin1' }

/** Says what is wrong with the name of a character set, or undefined. */
export function charsetProblem(name: string): string | undefined {
  if (WIDE.test(name)) return 'of the character sets only those that contain ASCII are read; convert the files to UTF-8'
  try {
    decoderOf(name)
    return undefined
  } catch {
    return 'it is not the name of a character set, as UTF-8 or ISO-8859-1 are'
  }
}

type Decode = (binary: string) => string

function decoderOf(name: string): Decode {
  const known = DECODED[name.toLowerCase()]
  if (known === 'utf8') return (binary) => Buffer.from(binary, 'latin1').toString('utf8')
  // The encoding standard takes ISO-8859-1 for windows-1252, which Java does not.
  if (known === 'latin1' || /^(iso-?8859-1|latin-?1)$/i.test(name)) return (binary) => binary
  const decoder = new TextDecoder(name)
  return (binary) => decoder.decode(Buffer.from(binary, 'latin1'))
}

/**
 * The bytes of a file that are not used up yet, as text with one character a byte: searching in it is as fast as it gets, and
 * its positions are those of the file. `decode` makes real text of a piece of it.
 */
export class TextWindow {
  text = ''
  /** Index in the text of the first character that is not used up. */
  at = 0
  /** No bytes follow those that are here. */
  isLast = false
  /** Pieces of a window that is ASCII are text as they are. */
  isAscii = true
  #base = 0
  readonly #decode: Decode

  constructor(charset: string) {
    this.#decode = decoderOf(charset)
  }

  /** Position in the file of what is at this index. */
  positionOf(index: number): number {
    return this.#base + index
  }

  push(chunk: Uint8Array, isLast: boolean): void {
    const rest = this.text.length - this.at
    if (rest > MAX_RECORD_BYTES) {
      throw new DataError(`a record is longer than ${MAX_RECORD_BYTES} bytes: the file is of another format`)
    }
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const restText = this.text.slice(this.at)
    this.isAscii = isAscii(view) && (rest === 0 || this.isAscii || !NOT_ASCII.test(restText))
    this.text = rest === 0 ? view.toString('latin1') : restText + view.toString('latin1')
    this.#base += this.at
    this.at = 0
    this.isLast = isLast
    // Editors of some systems begin UTF-8 with a mark; it belongs to no field.
    if (this.#base === 0 && this.text.startsWith('\u00ef\u00bb\u00bf')) this.at = 3
  }

  seek(position: number): void {
    this.text = ''
    this.at = 0
    this.isLast = false
    this.isAscii = true
    this.#base = position
  }

  /** The next line without its end, which is `\n` or `\r\n`; the last one may have none. Undefined without one. */
  line(): string | undefined {
    const { text, at } = this
    const feed = text.indexOf('\n', at)
    if (feed < 0 && (!this.isLast || at >= text.length)) return undefined
    const end = feed < 0 ? text.length : feed
    this.at = feed < 0 ? end : feed + 1
    return this.decode(text.slice(at, end > at && text.charCodeAt(end - 1) === 13 ? end - 1 : end))
  }

  decode(piece: string): string {
    return this.isAscii || !NOT_ASCII.test(piece) ? piece : this.#decode(piece)
  }
}
