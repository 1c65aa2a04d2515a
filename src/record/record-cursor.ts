import { BATCH_HEADER_SIZE, type BatchHeader, isBatchCrcValid, MAGIC_V2, peekBatchHeader } from './batch-header.ts'
import type { RecordHeader } from './batch-builder.ts'
import { decompress, MAX_DECOMPRESSED_BYTES } from './compression.ts'
import { corrupt, RecordError } from './errors.ts'

/** How a batch is opened. */
export interface DecodeOptions {
  /** Whether the CRC is checked first; default true. */
  readonly checkCrc?: boolean
  /** Most bytes the records may decompress to. */
  readonly maxDecompressedBytes?: number
}

/** Smallest record: length, attributes, timestamp, offset, key, value and header count of one byte each. */
const RECORD_SIZE_MIN = 7

/**
 * Walks the records of a batch without an object per record: `open` a batch, then `next()` moves to a record and the
 * fields describe it until the next call. Key, value and headers are made only when asked for.
 */
export class RecordCursor {
  offset = -1
  timestamp = -1
  /** Where the key lies in `bytes`; length -1 is a null key. */
  keyStart = 0
  keyLength = -1
  valueStart = 0
  valueLength = -1
  headerCount = 0
  /** The decompressed records. */
  bytes: Buffer = Buffer.alloc(0)
  #position = 0
  #end = 0
  #headersStart = 0
  #recordEnd = 0
  #remaining = 0
  #header: BatchHeader | undefined

  /** The header of the open batch. */
  get header(): BatchHeader | undefined {
    return this.#header
  }

  /** Opens the batch at `position`; throws RecordError when its length, magic, CRC or codec is wrong. */
  open(buffer: Buffer, position: number = 0, options: DecodeOptions = {}): BatchHeader {
    const header = peekBatchHeader(buffer, position)
    if (!header) throw corrupt(`batch at ${position} is cut inside its header`)
    const end = position + header.sizeInBytes
    if (header.sizeInBytes < BATCH_HEADER_SIZE || end > buffer.length) {
      throw corrupt(`batch at ${position} has ${header.sizeInBytes} bytes, ${buffer.length - position} are there`)
    }
    if (header.magic !== MAGIC_V2) throw corrupt(`batch at ${position} has magic ${header.magic}, not ${MAGIC_V2}`)
    if (options.checkCrc !== false && !isBatchCrcValid(buffer, position, header.sizeInBytes)) {
      throw corrupt(`batch at ${position} (base offset ${header.baseOffset}) fails its CRC`)
    }
    if (!header.codec) {
      throw new RecordError('UNSUPPORTED_COMPRESSION_TYPE', `batch at ${position} has an unknown codec`)
    }
    if (header.codec === 'none') {
      this.bytes = buffer
      this.#position = position + BATCH_HEADER_SIZE
      this.#end = end
    } else {
      const packed = buffer.subarray(position + BATCH_HEADER_SIZE, end)
      this.bytes = decompress(header.codec, packed, options.maxDecompressedBytes ?? MAX_DECOMPRESSED_BYTES)
      this.#position = 0
      this.#end = this.bytes.length
    }
    // Invariant 8: a count is believed only as far as the bytes could hold that many records.
    if (header.recordCount < 0 || header.recordCount * RECORD_SIZE_MIN > this.#end - this.#position) {
      throw corrupt(`batch at ${position} claims ${header.recordCount} records in ${this.#end - this.#position} bytes`)
    }
    this.#remaining = header.recordCount
    this.#header = header
    return header
  }

  /** Moves to the next record; false after the last one. Throws RecordError when the bytes are no record. */
  next(): boolean {
    const header = this.#header
    if (!header || this.#remaining === 0) {
      if (header && this.#position !== this.#end) throw corrupt('bytes are left after the last record of a batch')
      return false
    }
    this.#remaining--
    const length = this.#varint()
    const end = this.#position + length
    if (length < RECORD_SIZE_MIN - 1 || end > this.#end) throw corrupt('a record is longer than its batch')
    this.#recordEnd = end
    this.#position++
    const timestampDelta = this.#varint()
    this.timestamp = header.isLogAppendTime ? header.maxTimestamp : header.baseTimestamp + timestampDelta
    this.offset = header.baseOffset + this.#varint()
    this.keyLength = this.#varint()
    this.keyStart = this.#position
    if (this.keyLength > 0) this.#position += this.keyLength
    if (this.keyLength < -1 || this.#position > end) throw corrupt('a key is longer than its record')
    this.valueLength = this.#varint()
    this.valueStart = this.#position
    if (this.valueLength > 0) this.#position += this.valueLength
    if (this.valueLength < -1 || this.#position > end) throw corrupt('a value is longer than its record')
    this.headerCount = this.#varint()
    this.#headersStart = this.#position
    if (this.headerCount < 0 || this.headerCount * 2 > end - this.#position) {
      throw corrupt('a record claims more headers than it can hold')
    }
    if (this.headerCount === 0 && this.#position !== end) throw corrupt('bytes are left after a record')
    this.#position = end
    return true
  }

  /** A view of the key of the current record. */
  key(): Buffer | null {
    return this.keyLength < 0 ? null : this.bytes.subarray(this.keyStart, this.keyStart + this.keyLength)
  }

  /** A view of the value of the current record. */
  value(): Buffer | null {
    return this.valueLength < 0 ? null : this.bytes.subarray(this.valueStart, this.valueStart + this.valueLength)
  }

  /** The headers of the current record, decoded on demand. */
  headers(): RecordHeader[] {
    const headers: RecordHeader[] = []
    if (this.headerCount === 0) return headers
    const after = this.#position
    this.#position = this.#headersStart
    for (let i = 0; i < this.headerCount; i++) {
      const keyLength = this.#varint()
      const keyStart = this.#position
      this.#position += keyLength
      if (keyLength < 0 || this.#position > this.#recordEnd) throw corrupt('a header key is longer than its record')
      const key = this.bytes.toString('utf8', keyStart, this.#position)
      const valueLength = this.#varint()
      const valueStart = this.#position
      if (valueLength > 0) this.#position += valueLength
      if (valueLength < -1 || this.#position > this.#recordEnd) throw corrupt('a header is longer than its record')
      headers.push({ key, value: valueLength < 0 ? null : this.bytes.subarray(valueStart, this.#position) })
    }
    if (this.#position !== this.#recordEnd) throw corrupt('bytes are left after the headers of a record')
    this.#position = after
    return headers
  }

  /** A zigzag varint or varlong at the position. The first byte has six bits and the sign (see writeVarint). */
  #varint(): number {
    const bytes = this.bytes
    let position = this.#position
    if (position >= this.#end) throw corrupt('a batch ends inside a record')
    let byte = bytes[position++]!
    const negative = byte & 1
    let magnitude = (byte & 0x7f) >> 1
    for (let scale = 0x40; byte >= 0x80; scale *= 0x80) {
      if (position >= this.#end || scale > 2 ** 62) throw corrupt('a variable-length number does not end')
      byte = bytes[position++]!
      magnitude += (byte & 0x7f) * scale
    }
    this.#position = position
    return negative ? -magnitude - 1 : magnitude
  }
}
