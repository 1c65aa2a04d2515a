import { assert, sizeOfVarint, writeInt64, writeVarint } from '../base/index.ts'
import { BATCH_ATTRIBUTE, BATCH_FIELD, BATCH_HEADER_SIZE, BATCH_OVERHEAD, MAGIC_V2 } from './batch-header.ts'
import { CODECS, type Codec, type CompressionLevels, compress } from './compression.ts'
import { crc32c } from './crc32c.ts'

/** A header of a record: Kafka's keys are UTF-8 text, values bytes or null. */
export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** What a batch says of itself beside its records. Everything left out is "none" as Kafka writes it. */
export interface BatchOptions {
  readonly codec?: Codec
  readonly levels?: CompressionLevels
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  /** Hands out the builder's own memory instead of a copy; the builder takes other memory for the next batch. */
  readonly transfer?: boolean
  /** False leaves the CRC out, for a caller that changes the header and writes it afterwards. */
  readonly crc?: boolean
}

/** Where a builder has its memory from. */
export interface BatchMemory {
  /** Memory of at least so many bytes; nobody else has it until it is given back. */
  take(bytes: number): Buffer
  /** Gives memory back; whoever builds a batch with `transfer` does it for the batch, when nobody reads it any more. */
  give(memory: Buffer): void
}

/** New memory each time; the garbage collector takes it back. */
const newMemory: BatchMemory = {
  take: (bytes) => Buffer.allocUnsafeSlow(bytes),
  give: () => undefined,
}

const NO_HEADERS: readonly RecordHeader[] = []
const NO_MEMORY = Buffer.alloc(0)
/** Most bytes of the varints and the attributes of one record, without headers. */
const RECORD_OVERHEAD_MAX = 5 + 1 + 10 + 5 + 5 + 5 + 5

/**
 * Sources put one array of headers on all of their records. The array that came last is remembered, and from its second
 * record on also its bytes; arrays are never changed once they are on a record.
 */
const repeated: { headers: readonly RecordHeader[]; looks: number; bytes: Buffer | undefined } = {
  headers: NO_HEADERS,
  looks: 0,
  bytes: undefined,
}
/** A record is looked at twice: for its size, and to be appended. */
const LOOKS_OF_ONE_RECORD = 2

function repeatedBytes(headers: readonly RecordHeader[]): Buffer | undefined {
  if (repeated.headers !== headers) {
    repeated.headers = headers
    repeated.looks = 1
    repeated.bytes = undefined
  } else if (repeated.bytes === undefined && ++repeated.looks > LOOKS_OF_ONE_RECORD) {
    repeated.bytes = Buffer.allocUnsafeSlow(headersSize(headers))
    writeHeaders(repeated.bytes, headers, 0)
  }
  return repeated.bytes
}

function headersSize(headers: readonly RecordHeader[]): number {
  let size = 0
  for (const header of headers) {
    const keyLength = Buffer.byteLength(header.key)
    size += sizeOfVarint(keyLength) + keyLength
    size += header.value === null ? 1 : sizeOfVarint(header.value.length) + header.value.length
  }
  return size
}

/** An upper bound of what a record adds to a batch, to decide before appending whether it still fits. */
export function recordSizeUpperBound(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[] = NO_HEADERS,
): number {
  const known = RECORD_OVERHEAD_MAX + (key?.length ?? 0) + (value?.length ?? 0)
  if (headers.length === 0) return known
  return known + (repeatedBytes(headers)?.length ?? headersSize(headers))
}

/**
 * Encodes records into one batch, straight into a buffer that grows and is used again for the next batch. Nothing is
 * allocated per record.
 */
export class BatchBuilder {
  readonly #memory: BatchMemory
  readonly #initialCapacity: number
  /** Taken when the first record comes. */
  #buffer: Buffer = NO_MEMORY
  #position = BATCH_HEADER_SIZE
  #count = 0
  #baseTimestamp = -1
  #maxTimestamp = -1

  constructor(initialCapacity: number = 16 * 1024, memory: BatchMemory = newMemory) {
    this.#initialCapacity = initialCapacity
    this.#memory = memory
  }

  /** Records in the batch so far. */
  get count(): number {
    return this.#count
  }

  /** Bytes of the batch so far, uncompressed, header included. */
  get sizeInBytes(): number {
    return this.#position
  }

  /** Largest timestamp so far, -1 in an empty batch. */
  get maxTimestamp(): number {
    return this.#maxTimestamp
  }

  #grow(needed: number): void {
    const smaller = this.#buffer
    const larger = this.#memory.take(Math.max(needed, smaller.length * 2, this.#initialCapacity))
    if (smaller.length > 0) {
      larger.set(smaller.subarray(0, this.#position))
      this.#memory.give(smaller)
    }
    this.#buffer = larger
  }

  /** Adds a record and returns the size of the batch in bytes. `timestamp` is in milliseconds, -1 for none. */
  append(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): number {
    assert(Number.isSafeInteger(timestamp), 'a timestamp is a whole number of milliseconds')
    const keyLength = key === null ? -1 : key.length
    const valueLength = value === null ? -1 : value.length
    const sameHeaders = headers.length === 0 ? undefined : repeatedBytes(headers)
    const headerBytes = sameHeaders?.length ?? headersSize(headers)
    const most = this.#position + RECORD_OVERHEAD_MAX + Math.max(keyLength, 0) + Math.max(valueLength, 0) + headerBytes
    if (most > this.#buffer.length) this.#grow(most)
    if (this.#count === 0) this.#baseTimestamp = timestamp
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const timestampDelta = timestamp - this.#baseTimestamp
    const offsetDelta = this.#count
    const length =
      1 +
      sizeOfVarint(timestampDelta) +
      sizeOfVarint(offsetDelta) +
      sizeOfVarint(keyLength) +
      (keyLength > 0 ? keyLength : 0) +
      sizeOfVarint(valueLength) +
      (valueLength > 0 ? valueLength : 0) +
      sizeOfVarint(headers.length) +
      headerBytes
    const buffer = this.#buffer
    let position = writeVarint(buffer, length, this.#position)
    buffer[position++] = 0
    position = writeVarint(buffer, timestampDelta, position)
    position = writeVarint(buffer, offsetDelta, position)
    position = writeVarint(buffer, keyLength, position)
    if (keyLength > 0) {
      buffer.set(key!, position)
      position += keyLength
    }
    position = writeVarint(buffer, valueLength, position)
    if (valueLength > 0) {
      buffer.set(value!, position)
      position += valueLength
    }
    position = writeVarint(buffer, headers.length, position)
    if (sameHeaders !== undefined) {
      buffer.set(sameHeaders, position)
      position += sameHeaders.length
    } else if (headers.length > 0) position = writeHeaders(buffer, headers, position)
    this.#position = position
    this.#count = offsetDelta + 1
    return position
  }

  /** Finishes the batch and empties the builder. */
  build(options: BatchOptions = {}): Buffer {
    assert(this.#count > 0, 'an empty batch is never built')
    const codec = options.codec ?? 'none'
    const records = codec === 'none' ? undefined : this.#compressed(codec, options.levels)
    const size = records ? BATCH_HEADER_SIZE + records.length : this.#position
    let batch: Buffer
    if (records) {
      batch = Buffer.allocUnsafeSlow(size)
      batch.set(records, BATCH_HEADER_SIZE)
    } else if (options.transfer) {
      batch = this.#buffer.subarray(0, size)
      this.#buffer = NO_MEMORY
    } else {
      batch = Buffer.allocUnsafeSlow(size)
      batch.set(this.#buffer.subarray(0, size))
    }
    this.#writeHeader(batch, codec, options)
    this.clear()
    return batch
  }

  /** Drops what was appended, keeping the memory. */
  clear(): void {
    this.#position = BATCH_HEADER_SIZE
    this.#count = 0
    this.#baseTimestamp = -1
    this.#maxTimestamp = -1
  }

  #compressed(codec: Codec, levels: CompressionLevels | undefined): Buffer {
    return compress(codec, this.#buffer.subarray(BATCH_HEADER_SIZE, this.#position), levels)
  }

  #writeHeader(batch: Buffer, codec: Codec, options: BatchOptions): void {
    const attributes =
      CODECS.indexOf(codec) |
      (options.transactional ? BATCH_ATTRIBUTE.transactional : 0) |
      (options.control ? BATCH_ATTRIBUTE.control : 0)
    writeInt64(batch, options.baseOffset ?? 0, BATCH_FIELD.baseOffset)
    batch.writeInt32BE(batch.length - BATCH_OVERHEAD, BATCH_FIELD.batchLength)
    batch.writeInt32BE(options.leaderEpoch ?? -1, BATCH_FIELD.partitionLeaderEpoch)
    batch.writeInt8(MAGIC_V2, BATCH_FIELD.magic)
    batch.writeInt16BE(attributes, BATCH_FIELD.attributes)
    batch.writeInt32BE(this.#count - 1, BATCH_FIELD.lastOffsetDelta)
    writeInt64(batch, this.#baseTimestamp, BATCH_FIELD.baseTimestamp)
    writeInt64(batch, this.#maxTimestamp, BATCH_FIELD.maxTimestamp)
    writeInt64(batch, options.producerId ?? -1, BATCH_FIELD.producerId)
    batch.writeInt16BE(options.producerEpoch ?? -1, BATCH_FIELD.producerEpoch)
    batch.writeInt32BE(options.baseSequence ?? -1, BATCH_FIELD.baseSequence)
    batch.writeInt32BE(this.#count, BATCH_FIELD.recordCount)
    if (options.crc !== false) batch.writeUInt32BE(crc32c(batch, BATCH_FIELD.attributes), BATCH_FIELD.crc)
  }
}

function writeHeaders(buffer: Buffer, headers: readonly RecordHeader[], start: number): number {
  let position = start
  for (const { key, value } of headers) {
    position = writeVarint(buffer, Buffer.byteLength(key), position)
    position += buffer.write(key, position, 'utf8')
    position = writeVarint(buffer, value === null ? -1 : value.length, position)
    if (value !== null) {
      buffer.set(value, position)
      position += value.length
    }
  }
  return position
}
