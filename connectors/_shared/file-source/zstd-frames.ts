import { DataError } from '@millrace/sdk'

// A frame: magic (4), descriptor (1), window (0..1), dictionary id (0..4), content size (0..8), blocks, checksum (0..4).
// A block: last (1 bit), type (2 bits), size (21 bits), in 3 bytes little endian; one that repeats a byte has 1 byte.
const MAGIC = 0xfd2fb528
/** Frames with data of others: 16 magic numbers, then a length. */
const SKIPPABLE_MIN = 0x184d2a50
const SKIPPABLE_MAX = 0x184d2a5f
const MAGIC_BYTES = 4
const LENGTH_BYTES = 4
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
const REPEATED = 1
const DICTIONARY_BYTES = [0, 1, 2, 4]
const CONTENT_BYTES = [0, 2, 4, 8]

type State = 'magic' | 'length' | 'descriptor' | 'header' | 'block header' | 'block' | 'checksum'

/** Bytes of one frame, in a row; `isEnd` with its last ones. */
export interface FramePiece {
  readonly bytes: Buffer
  readonly isEnd: boolean
}

/**
 * Finds where the frames of a zstd file end. Node's decoder reads the first frame and ignores all that follow, and tools write
 * large files in several.
 */
export class ZstdFrames {
  #state: State = 'magic'
  /** How many bytes of the state are still to come, and those of a header that are here. */
  #wanted = MAGIC_BYTES
  #header = Buffer.alloc(MAGIC_BYTES)
  #have = 0
  #isLastBlock = false
  #hasChecksum = false
  #isSkipped = false

  /** Whether the bytes may end here. */
  get isBetweenFrames(): boolean {
    return this.#state === 'magic' && this.#have === 0
  }

  /** The pieces of frames in a chunk; frames with data of others are left out. Throws DataError. */
  *split(chunk: Buffer): Generator<FramePiece> {
    let start = 0
    for (let at = 0; at < chunk.length; ) {
      const isHeader = this.#state !== 'block' && this.#state !== 'header' && this.#state !== 'checksum'
      const take = Math.min(this.#wanted, chunk.length - at)
      if (isHeader) {
        chunk.copy(this.#header, this.#have, at, at + take)
        this.#have += take
      }
      this.#wanted -= take
      at += take
      if (this.#wanted > 0) continue
      if (this.#state === 'magic') {
        // Whether the frame is one that is left out is known only now.
        const bytes = Buffer.from(this.#header)
        this.#next()
        if (!this.#isSkipped) yield { bytes, isEnd: false }
        start = at
        continue
      }
      if (!this.#next()) continue
      if (!this.#isSkipped) yield { bytes: chunk.subarray(start, at), isEnd: true }
      this.#isSkipped = false
      start = at
    }
    if (start < chunk.length && !this.#isSkipped && this.#state !== 'magic')
      yield { bytes: chunk.subarray(start), isEnd: false }
  }

  /** Goes to the state behind the one that is complete; true when a frame has ended. States without bytes are passed. */
  #next(): boolean {
    do {
      if (this.#step()) {
        this.#enter('magic', MAGIC_BYTES)
        return true
      }
    } while (this.#wanted === 0)
    return false
  }

  #step(): boolean {
    switch (this.#state) {
      case 'magic':
        return this.#magic(this.#header.readUInt32LE(0))
      case 'length':
        this.#isLastBlock = true
        this.#hasChecksum = false
        this.#enter('block', this.#header.readUInt32LE(0))
        return false
      case 'descriptor':
        this.#descriptor(this.#header[0] as number)
        return false
      case 'header':
        this.#enter('block header', BLOCK_HEADER_BYTES)
        return false
      case 'block header':
        this.#blockHeader(this.#header.readUIntLE(0, BLOCK_HEADER_BYTES))
        return false
      case 'block':
        if (!this.#isLastBlock) this.#enter('block header', BLOCK_HEADER_BYTES)
        else if (this.#hasChecksum) this.#enter('checksum', CHECKSUM_BYTES)
        else return true
        return false
      case 'checksum':
        return true
    }
  }

  #magic(magic: number): false {
    if (magic === MAGIC) this.#enter('descriptor', 1)
    else if (magic >= SKIPPABLE_MIN && magic <= SKIPPABLE_MAX) {
      this.#isSkipped = true
      this.#enter('length', LENGTH_BYTES)
    } else throw new DataError('the file is not zstd, or something else follows its data')
    return false
  }

  #descriptor(descriptor: number): void {
    const isSingle = (descriptor & 0x20) !== 0
    this.#hasChecksum = (descriptor & 0x04) !== 0
    const content = CONTENT_BYTES[descriptor >> 6] as number
    const dictionary = DICTIONARY_BYTES[descriptor & 3] as number
    this.#enter('header', (isSingle ? 0 : 1) + dictionary + (isSingle && content === 0 ? 1 : content))
  }

  #blockHeader(header: number): void {
    this.#isLastBlock = (header & 1) !== 0
    this.#enter('block', ((header >> 1) & 3) === REPEATED ? 1 : header >> 3)
  }

  #enter(state: State, bytes: number): void {
    this.#state = state
    this.#wanted = bytes
    this.#have = 0
  }
}
