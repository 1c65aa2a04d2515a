/** Longer text is written by the engine, which is faster then. */
const SHORT = 48
/** The most bytes that UTF-8 has for one unit of UTF-16. */
const UNIT_BYTES = 3
const FIRST_BYTES = 64 * 1024
/** Memory beyond this is not kept for the next message. */
const KEPT_BYTES = 8 * 1024 * 1024

/**
 * Messages for the server, in memory that is used again: new memory for every batch would make V8 collect the whole heap
 * every few of them. Numbers are big-endian. Room has to be reserved for bytes and numbers alone.
 */
export class WireBuffer {
  bytes: Buffer = Buffer.alloc(0)
  view: DataView = new DataView(this.bytes.buffer)
  /** Where the next byte goes. */
  at = 0

  /** Starts again, over what was written before. */
  clear(): void {
    this.at = 0
    if (this.bytes.length > KEPT_BYTES) this.#replace(Buffer.alloc(0))
  }

  /** What was written; it stays until the next `clear`. */
  written(): Buffer {
    return this.bytes.subarray(0, this.at)
  }

  reserve(size: number): void {
    const needed = this.at + size
    if (needed <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2, FIRST_BYTES))
    this.bytes.copy(grown, 0, 0, this.at)
    this.#replace(grown)
  }

  #replace(bytes: Buffer): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  byte(value: number): void {
    this.bytes[this.at++] = value
  }

  int16(value: number): void {
    this.view.setInt16(this.at, value)
    this.at += 2
  }

  int32(value: number): void {
    this.view.setInt32(this.at, value)
    this.at += 4
  }

  /** Leaves room for the length of what follows, in bytes. */
  startLength(): number {
    this.reserve(4)
    this.at += 4
    return this.at
  }

  /** Writes the length of what was written since `start`; that of a message counts itself. */
  endLength(start: number, isMessage = false): void {
    this.view.setInt32(start - 4, this.at - start + (isMessage ? 4 : 0))
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  text(text: string): void {
    const { length } = text
    this.reserve(length * UNIT_BYTES)
    const { bytes, at } = this
    let done = 0
    if (length <= SHORT) {
      for (; done < length; done++) {
        const unit = text.charCodeAt(done)
        if (unit >= 0x80) break
        bytes[at + done] = unit
      }
    }
    this.at = at + (done === length ? length : bytes.write(text, at))
  }

  /** Text that ends with a zero. */
  name(text: string): void {
    this.text(text)
    this.reserve(1)
    this.byte(0)
  }
}
