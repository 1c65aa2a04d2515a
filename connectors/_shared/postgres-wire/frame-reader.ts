import { protocolError } from './postgres-error.ts'

/** The largest message Postgres can send: its memory chunks end at 1 GiB. */
const MESSAGE_BYTES_MAX = 1 << 30
const HEADER_BYTES = 5

/** Takes one message: its type, and its body as a range of a buffer that lives as long as it is referenced. */
export type MessageHandler = (type: number, buffer: Buffer, start: number, end: number) => void

/**
 * Splits the bytes of a connection into messages (one byte of type, a length, a body). Only a message that spans
 * chunks is copied. `pause` stops after the current message and keeps the rest.
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
        const [first] = this.#chunks
        const handled = first === undefined ? 0 : this.#split(first)
        if (handled > 0) this.#drop(handled)
        else if (this.#chunks.length > 1) this.#join()
      }
    } finally {
      this.#running = false
    }
  }

  /** Handles the messages that lie within one buffer; gives the bytes they have. */
  #split(buffer: Buffer): number {
    let position = 0
    for (;;) {
      this.#needed = HEADER_BYTES
      const left = buffer.length - position
      if (this.#paused || left < HEADER_BYTES) return position
      const size = messageSize(buffer, position)
      if (left < size) {
        this.#needed = size
        return position
      }
      this.#handler(buffer[position] as number, buffer, position + HEADER_BYTES, position + size)
      position += size
    }
  }

  /** Handles the message that begins in the first chunk and ends in another; no other byte is copied. */
  #join(): void {
    if (this.#bytes < HEADER_BYTES) return
    const size = messageSize(Buffer.concat(this.#chunks, HEADER_BYTES), 0)
    this.#needed = size
    if (this.#bytes < size) return
    const message = Buffer.concat(this.#chunks, size)
    this.#needed = HEADER_BYTES
    this.#drop(size)
    this.#handler(message[0] as number, message, HEADER_BYTES, size)
  }

  #drop(bytes: number): void {
    this.#bytes -= bytes
    let left = bytes
    let whole = 0
    for (const chunk of this.#chunks) {
      if (chunk.length > left) break
      left -= chunk.length
      whole++
    }
    this.#chunks.splice(0, whole)
    if (left > 0) this.#chunks[0] = (this.#chunks[0] as Buffer).subarray(left)
  }
}

/** Invariant 8: the length is checked before anything is read or kept by it. */
function messageSize(buffer: Buffer, position: number): number {
  const length = buffer.readInt32BE(position + 1)
  if (length < 4 || length > MESSAGE_BYTES_MAX) throw protocolError(`message length ${length}`)
  return length + 1
}
