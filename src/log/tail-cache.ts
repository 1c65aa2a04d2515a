import { BATCH_FIELD, BATCH_OVERHEAD, batchBaseOffset, batchLastOffset } from '../record/index.ts'

const FIRST_CHUNK_SIZE = 16 * 1024
const MAX_CHUNK_SIZE = 1024 * 1024
const MARK_INTERVAL = 4096

interface Chunk {
  readonly owner: TailCache
  readonly buffer: Buffer
  readonly baseOffset: number
  used: number
  nextOffset: number
  /** Pairs of a batch's base offset and its position, one for each few KiB. */
  readonly marks: number[]
  lastMark: number
}

/** Bounds the memory of all tail caches together: the oldest chunk of any log goes first. */
export class CacheBudget {
  readonly limitBytes: number
  #chunks: Chunk[] = []
  #bytes = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#bytes
  }

  /** Accounts for a new chunk, dropping old ones of whichever log. */
  admit(chunk: Chunk): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.buffer.length
    while (this.#bytes > this.limitBytes && this.#chunks.length > 1) this.#drop(this.#chunks[0]!)
  }

  #drop(chunk: Chunk): void {
    this.release(chunk)
    chunk.owner.forget(chunk)
  }

  release(chunk: Chunk): void {
    const index = this.#chunks.indexOf(chunk)
    if (index < 0) return
    this.#chunks.splice(index, 1)
    this.#bytes -= chunk.buffer.length
  }
}

/**
 * The newest batches of one log, so that readers at the tail never touch the disk. Memory is only ever appended to and
 * never used again, so views of it may be handed to a socket.
 */
export class TailCache {
  readonly #budget: CacheBudget
  #chunks: Chunk[] = []
  #nextChunkSize = FIRST_CHUNK_SIZE

  constructor(budget: CacheBudget) {
    this.#budget = budget
  }

  /** Copies a batch that was just written. */
  append(batch: Buffer, baseOffset: number, lastOffset: number): void {
    if (batch.length > this.#budget.limitBytes) {
      this.clear()
      return
    }
    let chunk = this.#chunks.at(-1)
    if (!chunk || chunk.nextOffset !== baseOffset || chunk.used + batch.length > chunk.buffer.length) {
      chunk = this.#newChunk(batch.length, baseOffset)
    }
    chunk.buffer.set(batch, chunk.used)
    if (chunk.used - chunk.lastMark >= MARK_INTERVAL) {
      chunk.marks.push(baseOffset, chunk.used)
      chunk.lastMark = chunk.used
    }
    chunk.used += batch.length
    chunk.nextOffset = lastOffset + 1
  }

  #newChunk(needed: number, baseOffset: number): Chunk {
    const size = Math.max(this.#nextChunkSize, needed)
    this.#nextChunkSize = Math.min(this.#nextChunkSize * 2, MAX_CHUNK_SIZE)
    const chunk: Chunk = {
      owner: this,
      buffer: Buffer.allocUnsafeSlow(size),
      baseOffset,
      used: 0,
      nextOffset: baseOffset,
      marks: [baseOffset, 0],
      lastMark: 0,
    }
    this.#chunks.push(chunk)
    this.#budget.admit(chunk)
    return chunk
  }

  /**
   * Whole batches from the one that holds `offset`, as many as fit into `maxBytes` and end below `limitOffset`; the first
   * one even when it is larger, with `minOneBatch`. Undefined when the offset is not cached.
   */
  read(offset: number, maxBytes: number, limitOffset: number, minOneBatch: boolean): Buffer | undefined {
    const chunk = this.#chunkOf(offset)
    if (!chunk) return undefined
    const { buffer } = chunk
    let start = positionOfMark(chunk, offset)
    while (batchLastOffset(buffer, start) < offset) start += batchSize(buffer, start)
    let end = start
    if (chunk.nextOffset <= limitOffset && chunk.used - start <= maxBytes) {
      end = chunk.used
    } else {
      while (end < chunk.used && batchBaseOffset(buffer, end) < limitOffset) {
        const next = end + batchSize(buffer, end)
        if (next - start > maxBytes && !(minOneBatch && end === start)) break
        end = next
      }
    }
    return buffer.subarray(start, end)
  }

  #chunkOf(offset: number): Chunk | undefined {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const chunk = this.#chunks[i]!
      if (chunk.baseOffset <= offset) return offset < chunk.nextOffset ? chunk : undefined
    }
    return undefined
  }

  /** Called by the budget. */
  forget(chunk: Chunk): void {
    this.#chunks = this.#chunks.filter((other) => other !== chunk)
  }

  clear(): void {
    for (const chunk of this.#chunks) this.#budget.release(chunk)
    this.#chunks = []
    this.#nextChunkSize = FIRST_CHUNK_SIZE
  }
}

function batchSize(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position + BATCH_FIELD.batchLength) + BATCH_OVERHEAD
}

function positionOfMark({ marks }: Chunk, offset: number): number {
  let low = 0
  let high = marks.length / 2 - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (marks[middle * 2]! <= offset) low = middle
    else high = middle - 1
  }
  return marks[low * 2 + 1]!
}
