import { protocolError } from './postgres-error.ts'

/** The largest message Postgres can send: its memory chunks end at 1 GiB. */
const MESSAGE_BYTES_MAX = 1 << 30
const HEADER_BYTES = 5

/** Takes one message: its type, and its body as a range of a buffer that lives as long as it is referenced. */
export type MessageHandler = (type: number, buffer: Buffer, start: number, end: number) => void

/**
 * Splits the bytes of a connection into messages (one byte of type, a length, a body). A message inside a chunk is
 * not copied. `pause` stops after the current message and keeps the rest.
 */
export class FrameReader {
  readonly #handler: MessageHandler
  #chunks: Buffer[] = []
  #bytes = 0
  /** How many bytes are needed before it is worth looking again. */
  #needed = HEADER_BYTES
  #paused = false
  #running = false

  constructor(handler: MessageHandler) {
    this.#handler = handler
  }

  /** Bytes read from the socket and not handled yet. */
  get buffered(): number {
    return this.#bytes
  }

  pause(): void {
    this.#paused = true
  }

  /** Continues with what is left; nothing happens when called by the handler itself. */
  resume(): void {
    this.#paused = false
    this.#run()
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    this.#run()
  }

  #run(): void {
    if (this.#running) return
    this.#running = true
    try {
      while (!this.#paused && this.#bytes >= this.#needed) {
        const buffer = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
        const rest = this.#split(buffer)
        this.#chunks = rest === buffer.length ? [] : [rest === 0 ? buffer : buffer.subarray(rest)]
        this.#bytes = buffer.length - rest
      }
    } finally {
      this.#running = false
    }
  }

  #split(buffer: Buffer): number {
    let position = 0
    for (;;) {
      const left = buffer.length - position
      if (this.#paused) {
        this.#needed = Math.min(this.#needed, HEADER_BYTES)
        return position
      }
      if (left < HEADER_BYTES) {
        this.#needed = HEADER_BYTES
        return position
      }
      // Invariant 8: the length is checked before anything is read or kept by it.
      const length = buffer.readInt32BE(position + 1)
      if (length < 4 || length > MESSAGE_BYTES_MAX) throw protocolError(`message length ${length}`)
      if (left < length + 1) {
        this.#needed = length + 1
        return position
      }
      const end = position + 1 + length
      this.#handler(buffer[position] as number, buffer, position + HEADER_BYTES, end)
      position = end
    }
  }
}
