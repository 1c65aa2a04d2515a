import type { OffsetReader, SourceOffset, SourcePartition } from '@millrace/sdk'

/** The offsets of a source as its worker keeps them: what is read back has been JSON text in between. */
export class OffsetStore {
  readonly #offsets = new Map<string, SourceOffset>()

  commit(partition: SourcePartition, offset: SourceOffset): void {
    this.#offsets.set(textOf(partition), readBack(offset))
  }

  reader(): OffsetReader {
    const offset = async (partition: SourcePartition) => this.#offsets.get(textOf(partition)) ?? null
    return { offset, offsets: (partitions) => Promise.all(partitions.map(offset)) }
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
