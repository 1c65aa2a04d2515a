import { ProtocolError } from './protocol-error.ts'

/** From this size on, a payload is handed on as it is instead of being copied (when the caller can send several buffers). */
const GATHER_BYTES = 1024
const INITIAL_BYTES = 4096
/** A scratch buffer that grew beyond this is not kept. */
const KEPT_BYTES = 1 << 20

/** Builds one message in a reused scratch buffer; `finish` copies it out. */
export class Writer {
  #buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  #position = 0
  #gather = false
  #openTags = 0
  #splits: { at: number; payload: Uint8Array }[] = []
  #payloadBytes = 0

  /** Starts a message. With `gather`, large byte fields are not copied and `finishParts` returns several buffers. */
  start(gather: boolean): void {
    this.#position = 0
    this.#gather = gather
    this.#openTags = 0
    this.#splits = []
    this.#payloadBytes = 0
  }

  /** Bytes of the message so far, payloads included. */
  get size(): number {
    return this.#position + this.#payloadBytes
  }

  /** The message as one buffer. */
  finish(): Buffer {
    const result = Buffer.allocUnsafe(this.#position)
    this.#buffer.copy(result, 0, 0, this.#position)
    this.#release()
    return result
  }

  /** The message as buffers to be sent one after the other. */
  finishParts(): Buffer[] {
    const splits = this.#splits
    const head = this.finish()
    if (splits.length === 0) return [head]
    const parts: Buffer[] = []
    let from = 0
    for (const { at, payload } of splits) {
      if (at > from) parts.push(head.subarray(from, at))
      parts.push(asBuffer(payload))
      from = at
    }
    if (head.length > from) parts.push(head.subarray(from))
    return parts
  }

  /** Overwrites the int32 at `at`: a length that is known only in the end. */
  patchInt32(at: number, value: number): void {
    this.#buffer.writeInt32BE(value, at)
  }

  #release(): void {
    this.#splits = []
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  }

  #reserve(size: number): number {
    const start = this.#position
    const needed = start + size
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(grown, 0, 0, start)
      this.#buffer = grown
    }
    this.#position = needed
    return start
  }

  bool(value: boolean): void {
    this.#buffer[this.#reserve(1)] = value ? 1 : 0
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) outOfRange('int8', value)
    this.#buffer[this.#reserve(1)] = value
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) outOfRange('int16', value)
    this.#two(value)
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) outOfRange('uint16', value)
    this.#two(value)
  }

  #two(value: number): void {
    const p = this.#reserve(2)
    this.#buffer[p] = value >> 8
    this.#buffer[p + 1] = value
  }

  int32(value: number): void {
    if ((value | 0) !== value) outOfRange('int32', value)
    this.#four(value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) outOfRange('uint32', value)
    this.#four(value)
  }

  #four(value: number): void {
    const p = this.#reserve(4)
    const b = this.#buffer
    b[p] = value >> 24
    b[p + 1] = value >> 16
    b[p + 2] = value >> 8
    b[p + 3] = value
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) outOfRange('int64', value)
    this.#four(Math.floor(value / 0x1_0000_0000) | 0)
    this.#four(value | 0)
  }

  float64(value: number): void {
    const p = this.#reserve(8)
    this.#buffer.writeDoubleBE(value, p)
  }

  uuid(value: string): void {
    const p = this.#reserve(16)
    if (value.length !== 22 || this.#buffer.write(value, p, 16, 'base64url') !== 16) {
      throw new ProtocolError(`uuid must be 22 base64url characters, not '${value}'`)
    }
  }

  varuint(value: number): void {
    const p = this.#reserve(5)
    let end = p
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.#buffer[end++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#buffer[end++] = rest
    this.#position = end
  }

  /** Text without its length; returns its size in bytes. */
  #text(value: string, size: number): void {
    const p = this.#reserve(size)
    const b = this.#buffer
    if (size === value.length && size < 32) {
      for (let i = 0; i < size; i++) b[p + i] = value.charCodeAt(i)
      return
    }
    b.write(value, p, size, 'utf8')
  }

  string(value: string): void {
    const size = Buffer.byteLength(value)
    if (size > 0x7fff) throw new ProtocolError(`string of ${size} bytes, the limit is 32767`)
    this.#two(size)
    this.#text(value, size)
  }

  nullableString(value: string | null): void {
    if (value === null) this.#two(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    const size = Buffer.byteLength(value)
    this.varuint(size + 1)
    this.#text(value, size)
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.varuint(0)
    else this.compactString(value)
  }

  #payload(value: Uint8Array): void {
    if (this.#gather && this.#openTags === 0 && value.length >= GATHER_BYTES) {
      this.#splits.push({ at: this.#position, payload: value })
      this.#payloadBytes += value.length
      return
    }
    const p = this.#reserve(value.length)
    this.#buffer.set(value, p)
  }

  bytes(value: Uint8Array): void {
    this.#four(value.length)
    this.#payload(value)
  }

  nullableBytes(value: Uint8Array | null): void {
    if (value === null) this.#four(-1)
    else this.bytes(value)
  }

  compactBytes(value: Uint8Array): void {
    this.varuint(value.length + 1)
    this.#payload(value)
  }

  compactNullableBytes(value: Uint8Array | null): void {
    if (value === null) this.varuint(0)
    else this.compactBytes(value)
  }

  /** Starts the value of a tagged field, whose size is written before it. */
  openTag(tag: number): number {
    this.varuint(tag)
    this.#openTags++
    return this.#position
  }

  closeTag(start: number): void {
    const size = this.#position - start
    this.varuint(size)
    const prefix = this.#position - start - size
    this.#buffer.copyWithin(start + prefix, start, start + size)
    this.#position = start
    this.varuint(size)
    this.#position = start + prefix + size
    this.#openTags--
  }
}

function outOfRange(type: string, value: unknown): never {
  throw new ProtocolError(`${String(value)} is not an ${type}`)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
