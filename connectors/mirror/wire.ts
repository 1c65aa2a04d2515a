/**
 * The records of MirrorMaker's own topics, in its binary form. A text is its length in two bytes and UTF-8; numbers are
 * big-endian. Values of checkpoints and heartbeats begin with a version, which is 0.
 */

/** An offset of a partition on the source cluster and the one that the same record has on the target cluster. */
export interface OffsetSync {
  readonly topic: string
  readonly partition: number
  readonly upstreamOffset: number
  readonly downstreamOffset: number
}

/** How far a group has come in a partition, on both clusters. The topic has its name on the target cluster. */
export interface Checkpoint {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly upstreamOffset: number
  readonly downstreamOffset: number
  readonly metadata: string
}

export interface Heartbeat {
  readonly sourceClusterAlias: string
  readonly targetClusterAlias: string
  readonly timestamp: number
}

export interface WireRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** The bytes are not what the topic's records are made of. */
export class WireError extends Error {
  override name = 'WireError'
}

const VERSION = 0

export function encodeOffsetSync({ topic, partition, upstreamOffset, downstreamOffset }: OffsetSync): WireRecord {
  return {
    key: Buffer.concat([text(topic), int32(partition)]),
    value: Buffer.concat([int64(upstreamOffset), int64(downstreamOffset)]),
  }
}

export function decodeOffsetSync(key: Uint8Array, value: Uint8Array): OffsetSync {
  const [keyReader, valueReader] = [new Reader(key), new Reader(value)]
  return {
    topic: keyReader.text(),
    partition: keyReader.int32(),
    upstreamOffset: valueReader.int64(),
    downstreamOffset: valueReader.int64(),
  }
}

export function encodeCheckpoint(checkpoint: Checkpoint): WireRecord {
  const { group, topic, partition, upstreamOffset, downstreamOffset, metadata } = checkpoint
  return {
    key: Buffer.concat([text(group), text(topic), int32(partition)]),
    value: Buffer.concat([int16(VERSION), int64(upstreamOffset), int64(downstreamOffset), text(metadata)]),
  }
}

export function decodeCheckpoint(key: Uint8Array, value: Uint8Array): Checkpoint {
  const [keyReader, valueReader] = [new Reader(key), new Reader(value)]
  valueReader.version()
  return {
    group: keyReader.text(),
    topic: keyReader.text(),
    partition: keyReader.int32(),
    upstreamOffset: valueReader.int64(),
    downstreamOffset: valueReader.int64(),
    metadata: valueReader.text(),
  }
}

export function encodeHeartbeat({ sourceClusterAlias, targetClusterAlias, timestamp }: Heartbeat): WireRecord {
  return {
    key: Buffer.concat([text(sourceClusterAlias), text(targetClusterAlias)]),
    value: Buffer.concat([int16(VERSION), int64(timestamp)]),
  }
}

export function decodeHeartbeat(key: Uint8Array, value: Uint8Array): Heartbeat {
  const [keyReader, valueReader] = [new Reader(key), new Reader(value)]
  valueReader.version()
  return {
    sourceClusterAlias: keyReader.text(),
    targetClusterAlias: keyReader.text(),
    timestamp: valueReader.int64(),
  }
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  if (bytes.length > 0x7fff) throw new WireError(`a text of ${bytes.length} bytes is longer than 32767`)
  return Buffer.concat([int16(bytes.length), bytes])
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

/** Invariant 8: nothing is read beyond the end. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  version(): void {
    const version = this.#bytes.readInt16BE(this.#advance(2))
    if (version !== VERSION) throw new WireError(`version ${version} is not known, only ${VERSION} is`)
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4))
  }

  int64(): number {
    const value = this.#bytes.readBigInt64BE(this.#advance(8))
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) throw new WireError(`${value} is no offset`)
    return Number(value)
  }

  text(): string {
    const length = this.#bytes.readInt16BE(this.#advance(2))
    if (length < 0) throw new WireError(`a text cannot have ${length} bytes`)
    const start = this.#advance(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  #advance(size: number): number {
    const start = this.#at
    if (start + size > this.#bytes.length) throw new WireError(`${this.#bytes.length} bytes are too few`)
    this.#at = start + size
    return start
  }
}
