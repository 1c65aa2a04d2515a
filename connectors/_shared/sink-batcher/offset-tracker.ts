import type { SinkRecord, TopicPartition, TopicPartitionOffset } from '@millrace/sdk'

/** A record on its way. */
export interface Entry {
  readonly offset: number
  readonly track: Track
  /** Delivered, or durably reported. */
  isDone: boolean
  /** Its partition has gone to another task: it is not to be written any more. */
  isDropped: boolean
}

interface Track {
  /** From `head` on: what is not free yet, in the order of offsets. */
  entries: Entry[]
  head: number
}

const COMPACT_AT = 4096

/** Which offsets may be committed: by the coordinates that records had in the log, whatever transformations made of them. */
export class OffsetTracker {
  readonly #tracks = new Map<string, Map<number, Track>>()
  #size = 0

  /** Records that are not free: on their way, or delivered with one before them that is not. */
  get size(): number {
    return this.#size
  }

  /** A record is on its way. */
  add(record: SinkRecord): Entry {
    const { originalTopic: topic, originalPartition: partition, originalOffset: offset } = record
    let partitions = this.#tracks.get(topic)
    if (!partitions) this.#tracks.set(topic, (partitions = new Map<number, Track>()))
    let track = partitions.get(partition)
    const last = track?.entries.at(-1)
    if (track && last && last.offset >= offset) {
      // The same records come again (a retry of put, a rewind): from here on only their second way counts.
      this.#forget(track)
      track = undefined
    }
    if (!track) partitions.set(partition, (track = { entries: [], head: 0 }))
    const entry: Entry = { offset, track, isDone: false, isDropped: false }
    track.entries.push(entry)
    this.#size++
    return entry
  }

  /** A record is delivered or durably reported. */
  done(entry: Entry): void {
    entry.isDone = true
    const { track } = entry
    const { entries } = track
    if (entries[track.head] !== entry) return
    while (track.head < entries.length && entries[track.head]!.isDone) {
      track.head++
      this.#size--
    }
    if (track.head === entries.length) {
      // The last one stays, so that records which come again are noticed.
      track.entries = entries.slice(-1)
      track.head = 1
    } else if (track.head >= COMPACT_AT) {
      track.entries = entries.slice(track.head)
      track.head = 0
    }
  }

  /** Invariant 2: of what was taken, what may be committed: for each partition everything before is delivered or reported. */
  committable(taken: readonly TopicPartitionOffset[]): TopicPartitionOffset[] {
    return taken.map(({ topic, partition, offset }) => {
      const track = this.#tracks.get(topic)?.get(partition)
      const first = track?.entries[track.head]
      return { topic, partition, offset: first ? Math.min(offset, first.offset) : offset }
    })
  }

  /** The partitions have gone to another task. */
  drop(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const track = this.#tracks.get(topic)?.get(partition)
      if (!track) continue
      for (let index = track.head; index < track.entries.length; index++) track.entries[index]!.isDropped = true
      this.#forget(track)
      this.#tracks.get(topic)!.delete(partition)
    }
  }

  /** Late news of its entries change nothing any more. */
  #forget(track: Track): void {
    this.#size -= track.entries.length - track.head
    track.entries = []
    track.head = 0
  }
}
