import type { Item, Offset } from './items.ts'

export type FilterKind = 'offset' | 'timestamp' | 'none'

/**
 * Leaves out what was read before, by the offset that the last request had. It sees the items of one walk over the pages,
 * oldest first.
 */
export class NewsFilter {
  readonly #kind: FilterKind
  readonly #sinceMs: number | undefined
  readonly #key: string | undefined
  #isPassed = false

  constructor(kind: FilterKind, offset: Offset) {
    const text = offset['timestamp']
    const sinceMs = text === undefined ? Number.NaN : /^\d+$/.test(text) ? Number(text) : Date.parse(text)
    this.#kind = kind
    this.#sinceMs = Number.isNaN(sinceMs) ? undefined : sinceMs
    this.#key = offset['key']
  }

  /** True when only the whole walk tells what is new: there are no times, so the last record has to be found first. */
  get needsAll(): boolean {
    return this.#kind === 'offset' && this.#sinceMs === undefined && this.#key !== undefined
  }

  /** The new ones of these items. */
  news(items: readonly Item[]): Item[] {
    if (this.#kind === 'none' || this.#isPassed) return [...items]
    if (this.#kind === 'timestamp') return items.filter((item) => this.#sinceMs === undefined || this.#age(item) > 0)
    const last = items.findLastIndex(
      (item) => item.key !== undefined && item.key === this.#key && this.#age(item) === 0,
    )
    if (last >= 0) this.#isPassed = true
    // What has the time of the last record but is not behind it here is not known to be old: twice is better than never.
    return items.filter((item, index) => index > last && this.#age(item) >= 0)
  }

  /** True for what is older than the last record, behind which nothing new comes when the newest come first. */
  isOld(item: Item): boolean {
    return this.#kind !== 'none' && this.#age(item) < 0
  }

  /** How much newer than the offset; 0 where that cannot be told. */
  #age(item: Item): number {
    return this.#sinceMs === undefined || item.timestampMs === undefined ? 0 : item.timestampMs - this.#sinceMs
  }
}
