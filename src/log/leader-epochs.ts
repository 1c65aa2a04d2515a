import type { Disk } from '../base/index.ts'
import { type EpochStart, readEpochCheckpoint, writeEpochCheckpoint } from './checkpoint-file.ts'

/** The answer to "where does this epoch end" (OffsetForLeaderEpoch). -1 and -1 when the epoch is not known. */
export interface EpochEnd {
  readonly leaderEpoch: number
  readonly endOffset: number
}

const UNKNOWN: EpochEnd = { leaderEpoch: -1, endOffset: -1 }

/** Which leader epoch wrote which offsets of a log (KIP-101), kept in `leader-epoch-checkpoint`. */
export class LeaderEpochs {
  readonly #disk: Disk
  readonly #path: string
  #entries: EpochStart[]

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.#path = path
    this.#entries = readEpochCheckpoint(disk, path) ?? []
  }

  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  get entries(): readonly EpochStart[] {
    return this.#entries
  }

  /** Notes that `startOffset` is the first offset of `epoch`; older or known epochs change nothing. */
  assign(epoch: number, startOffset: number, persist: boolean = true): void {
    if (epoch <= this.latest || epoch < 0) return
    this.#entries = this.#entries.filter((entry) => entry.startOffset < startOffset)
    this.#entries.push({ epoch, startOffset })
    if (persist) this.persist()
  }

  /** The epoch that wrote `offset`, -1 when none is known. */
  epochAt(offset: number): number {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i]!
      if (entry.startOffset <= offset) return entry.epoch
    }
    return -1
  }

  /** The largest epoch not above `requested` and the offset where the next one starts. */
  endOffsetFor(requested: number, logEndOffset: number): EpochEnd {
    if (requested < 0) return UNKNOWN
    if (requested === this.latest) return { leaderEpoch: requested, endOffset: logEndOffset }
    const next = this.#entries.findIndex((entry) => entry.epoch > requested)
    if (next < 0) return UNKNOWN
    const endOffset = this.#entries[next]!.startOffset
    return { leaderEpoch: next === 0 ? requested : this.#entries[next - 1]!.epoch, endOffset }
  }

  /** Forgets epochs that start at or after the end of the log. */
  truncateFromEnd(endOffset: number): void {
    if ((this.#entries.at(-1)?.startOffset ?? -1) < endOffset) return
    this.#entries = this.#entries.filter((entry) => entry.startOffset < endOffset)
    this.persist()
  }

  /** Moves the start of the first epoch that is left up to the start of the log. */
  truncateFromStart(startOffset: number): void {
    const first = this.#entries[0]
    if (!first || first.startOffset >= startOffset) return
    const current = this.#entries.findLast((entry) => entry.startOffset <= startOffset)!
    const later = this.#entries.filter((entry) => entry.startOffset > startOffset)
    this.#entries = [{ epoch: current.epoch, startOffset }, ...later]
    this.persist()
  }

  /** Takes what the batches say, when the file cannot be believed. */
  replace(entries: readonly EpochStart[]): void {
    this.#entries = [...entries]
    this.persist()
  }

  persist(): void {
    writeEpochCheckpoint(this.#disk, this.#path, this.#entries)
  }
}
