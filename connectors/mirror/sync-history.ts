import type { OffsetSync } from './wire.ts'

type Sync = Pick<OffsetSync, 'upstreamOffset' | 'downstreamOffset'>

/**
 * What is known of the offsets of one partition: many syncs near the newest, and fewer the further back, so that a group
 * that is far behind is still translated to somewhere near. Kept are about two for each doubling of the distance, which
 * is about a hundred at most.
 */
export class SyncHistory {
  /** Newest first. */
  #syncs: Sync[] = []

  get size(): number {
    return this.#syncs.length
  }

  /** Forgets all but this one. */
  restart(sync: Sync): void {
    this.#syncs = [sync]
  }

  add(sync: Sync): void {
    const newest = this.#syncs[0]
    // Whichever side went back, what was known before is of records that are gone.
    const isRewind =
      newest !== undefined &&
      (sync.upstreamOffset < newest.upstreamOffset || sync.downstreamOffset < newest.downstreamOffset)
    if (newest === undefined || isRewind) return this.restart(sync)
    if (sync.upstreamOffset === newest.upstreamOffset) this.#syncs[0] = sync
    else this.#syncs = thinned([sync, ...this.#syncs])
  }

  /**
   * The offset on the target cluster from which a group goes on that would go on at this one on the source: undefined when
   * it is before all that is known. Never beyond a record that the group has not read: of what follows a sync it is only
   * known that it comes later, not how much of it was left out on the way.
   */
  translate(upstreamOffset: number): number | undefined {
    const sync = this.#syncs.find((candidate) => candidate.upstreamOffset <= upstreamOffset)
    if (!sync) return undefined
    return sync.upstreamOffset === upstreamOffset ? sync.downstreamOffset : sync.downstreamOffset + 1
  }
}

/** Leaves out a sync when those around it are no more than a doubling of the distance to the newest apart. */
function thinned(syncs: readonly Sync[]): Sync[] {
  const [newest] = syncs as [Sync]
  const distance = (sync: Sync): number => newest.upstreamOffset - sync.upstreamOffset
  const kept: Sync[] = [newest]
  for (const [index, sync] of syncs.entries()) {
    if (index === 0) continue
    const next = syncs[index + 1]
    const previous = kept[kept.length - 1] as Sync
    if (next === undefined || distance(next) > 2 * distance(previous)) kept.push(sync)
  }
  return kept
}
