const TWO_32 = 0x1_0000_0000

/** Reads a big-endian int64 as a number. Beyond 2^53 the low bits are lost: callers check `Number.isSafeInteger` where it matters. */
export function readInt64(buffer: Buffer, offset: number): number {
  return buffer.readInt32BE(offset) * TWO_32 + buffer.readUInt32BE(offset + 4)
}

/** Writes a safe integer as a big-endian int64. */
export function writeInt64(buffer: Buffer, value: number, offset: number): void {
  const high = Math.floor(value / TWO_32)
  buffer.writeInt32BE(high, offset)
  buffer.writeUInt32BE(value - high * TWO_32, offset + 4)
}

/** Bytes that `writeVarint` takes for a safe integer: zigzag, then seven bits a byte, as protocol buffers and Kafka records do. */
export function sizeOfVarint(value: number): number {
  const magnitude = value < 0 ? -value - 1 : value
  if (magnitude < 0x40) return 1
  if (magnitude < 0x2000) return 2
  if (magnitude < 0x10_0000) return 3
  if (magnitude < 0x800_0000) return 4
  let size = 4
  for (let rest = Math.floor(magnitude / 0x800_0000); rest > 0; rest = Math.floor(rest / 128)) size++
  return size
}

/**
 * Writes a zigzag varint and returns the position after it. The first byte carries six bits and the sign, so that no
 * intermediate value leaves the safe integers.
 */
export function writeVarint(buffer: Buffer, value: number, position: number): number {
  // Nearly all are small, and bit operations on small integers are several times faster than divisions.
  if (value >= -0x4000_0000 && value < 0x4000_0000) {
    let zigzag = (value << 1) ^ (value >> 31)
    while (zigzag > 0x7f) {
      buffer[position++] = (zigzag & 0x7f) | 0x80
      zigzag >>>= 7
    }
    buffer[position] = zigzag
    return position + 1
  }
  const negative = value < 0 ? 1 : 0
  const magnitude = negative ? -value - 1 : value
  const first = ((magnitude % 0x40) << 1) | negative
  if (magnitude < 0x40) {
    buffer[position] = first
    return position + 1
  }
  buffer[position++] = first | 0x80
  let rest = Math.floor(magnitude / 0x40)
  while (rest >= 0x80) {
    buffer[position++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  buffer[position++] = rest
  return position
}
