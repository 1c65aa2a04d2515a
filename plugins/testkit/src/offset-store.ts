import type { OffsetReader, SourceOffset, SourcePartition, SourcePosition, SourceRecord } from '@millrace/sdk'

/** A source partition with its offset. */
export interface Committed {
  readonly sourcePartition: SourcePartition
  readonly sourceOffset: SourceOffset
}

/** The offsets of a source as its worker keeps them: what is read back has been JSON text in between. */
export class OffsetStore {
  readonly #offsets = new Map<string, Committed>()
  readonly #onCommit: ((entry: SourceRecord | SourcePosition) => void) | undefined

  /** Begins with what is committed; `onCommit` hears of each further entry before anything else happens. */
  constructor(committed: readonly Committed[] = [], onCommit?: (entry: SourceRecord | SourcePosition) => void) {
    for (const entry of committed) this.#set(entry)
    this.#onCommit = onCommit
  }

  /** The offset of a record or position is durable. */
  commit(entry: SourceRecord | SourcePosition): void {
    this.#set(entry)
    this.#onCommit?.(entry)
  }

  /** What was committed elsewhere. */
  restore(committed: Committed): void {
    this.#set(committed)
  }

  list(): readonly Committed[] {
    return [...this.#offsets.values()]
  }

  reader(): OffsetReader {
    const offset = async (partition: SourcePartition) => this.#offsets.get(textOf(partition))?.sourceOffset ?? null
    return { offset, offsets: (partitions) => Promise.all(partitions.map(offset)) }
  }

  #set({ sourcePartition, sourceOffset }: Committed): void {
    this.#offsets.set(textOf(sourcePartition), { sourcePartition, sourceOffset: readBack(sourceOffset) })
  }
}

/** The partition as text: equal for equal partitions, whatever the order of their fields. */
export function textOf(map: SourcePartition): string {
  return JSON.stringify(
    Object.entries(readBack(map)).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value),
  )
}

/** Whole numbers come back as number where that is exact, whatever they were. */
function readBack(map: SourceOffset): SourceOffset {
  const entries = Object.entries(map).map(([name, value]) => {
    const safe = typeof value === 'bigint' && Number.isSafeInteger(Number(value))
    return [name, safe ? Number(value) : value] as const
  })
  return Object.fromEntries(entries)
}
