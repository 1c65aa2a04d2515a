/** Bytes in Avro's binary form, in memory that grows and is used again. */
export class AvroSink {
  #buffer = Buffer.allocUnsafeSlow(4096)
  length = 0

  /** Takes back what was written behind a length. */
  truncate(length: number): void {
    this.length = length
  }

  /** A copy of everything; starts anew. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.length))
    this.length = 0
    // Files that are short of records must not keep the memory of their largest block.
    this.#buffer = Buffer.allocUnsafeSlow(4096)
    return bytes
  }

  byte(value: number): void {
    this.#ensure(1)
    this.#buffer[this.length++] = value
  }

  /** A whole number between -2^31 and 2^31. */
  int(value: number): void {
    this.#ensure(5)
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest >= 128) {
      this.#buffer[this.length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.#buffer[this.length++] = rest
  }

  long(value: bigint): void {
    if (value >= -0x4000_0000n && value <= 0x3fff_ffffn) {
      this.int(Number(value))
      return
    }
    this.#ensure(10)
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (rest >= 128n) {
      this.#buffer[this.length++] = Number(rest & 127n) | 128
      rest >>= 7n
    }
    this.#buffer[this.length++] = Number(rest)
  }

  float(value: number): void {
    this.#ensure(4)
    this.length = this.#buffer.writeFloatLE(value, this.length)
  }

  double(value: number): void {
    this.#ensure(8)
    this.length = this.#buffer.writeDoubleLE(value, this.length)
  }

  bytes(value: Uint8Array): void {
    this.int(value.length)
    this.#ensure(value.length)
    this.#buffer.set(value, this.length)
    this.length += value.length
  }

  text(value: string): void {
    const size = Buffer.byteLength(value)
    this.int(size)
    this.#ensure(size)
    this.length += this.#buffer.write(value, this.length)
  }

  #ensure(more: number): void {
    if (this.length + more <= this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.length + more))
    this.#buffer.copy(grown, 0, 0, this.length)
    this.#buffer = grown
  }
}
