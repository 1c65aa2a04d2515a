import { ProtocolError } from './protocol-error.ts'

/** A cursor over received bytes. Invariant 8: every read is checked against the end before a byte is touched. */
export class Reader {
  readonly buffer: Buffer
  position: number
  readonly end: number

  constructor(buffer: Buffer, position = 0, end: number = buffer.length) {
    if (position < 0 || end > buffer.length || position > end)
      throw new ProtocolError('reader range outside its buffer')
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  /** Moves past `size` bytes and returns where they start. */
  take(size: number): number {
    const start = this.position
    if (size > this.end - start) {
      throw new ProtocolError(`message ends after ${this.end - start} of ${size} bytes at position ${start}`)
    }
    this.position = start + size
    return start
  }

  bool(): boolean {
    return this.buffer[this.take(1)] !== 0
  }

  int8(): number {
    return (this.buffer[this.take(1)]! << 24) >> 24
  }

  int16(): number {
    const p = this.take(2)
    return (((this.buffer[p]! << 8) | this.buffer[p + 1]!) << 16) >> 16
  }

  uint16(): number {
    const p = this.take(2)
    return (this.buffer[p]! << 8) | this.buffer[p + 1]!
  }

  int32(): number {
    const p = this.take(4)
    const b = this.buffer
    return (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  int64(): number {
    const high = this.int32()
    const low = this.int32() >>> 0
    // 2^53 is beyond any offset, timestamp or producer id in use; rounding one silently would be worse than refusing it.
    if (high > 0x1fffff || high < -0x200000) throw new ProtocolError('int64 outside the safe integer range')
    return high * 0x1_0000_0000 + low
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  uuid(): string {
    const p = this.take(16)
    return this.buffer.toString('base64url', p, p + 16)
  }

  varuint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.take(1)]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break
        return value >>> 0
      }
    }
    throw new ProtocolError('unsigned varint longer than 32 bits')
  }

  text(length: number): string {
    const p = this.take(length)
    return this.buffer.toString('utf8', p, p + length)
  }

  view(length: number): Buffer {
    const p = this.take(length)
    return this.buffer.subarray(p, p + length)
  }

  string(): string {
    return this.text(present(this.int16()))
  }

  nullableString(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.text(length)
  }

  compactString(): string {
    return this.text(present(this.varuint() - 1))
  }

  compactNullableString(): string | null {
    const length = this.varuint() - 1
    return length < 0 ? null : this.text(length)
  }

  bytes(): Buffer {
    return this.view(present(this.int32()))
  }

  nullableBytes(): Buffer | null {
    const length = this.int32()
    return length < 0 ? null : this.view(length)
  }

  compactBytes(): Buffer {
    return this.view(present(this.varuint() - 1))
  }

  compactNullableBytes(): Buffer | null {
    const length = this.varuint() - 1
    return length < 0 ? null : this.view(length)
  }

  /** The length of an array whose elements take at least `minimumBytes` each, or -1 for null. */
  count(minimumBytes: number): number {
    return this.#bounded(this.int32(), minimumBytes)
  }

  compactCount(minimumBytes: number): number {
    return this.#bounded(this.varuint() - 1, minimumBytes)
  }

  /** Invariant 8: a length that the remaining bytes cannot hold is refused before anything is allocated for it. */
  #bounded(count: number, minimumBytes: number): number {
    if (count * minimumBytes > this.end - this.position) {
      throw new ProtocolError(`array of ${count} elements in ${this.end - this.position} bytes`)
    }
    return count
  }
}

function present(length: number): number {
  if (length < 0) throw new ProtocolError('null in a field that is not nullable')
  return length
}

/** The default of a bytes field. */
export const noBytes: Buffer = Buffer.alloc(0)
