/** One row as text, in the order of its columns. */
export type TextRow = readonly (string | null)[]

/** What a flush writes: the deletes and the rows concern different keys, so their order does not matter. */
export interface Flush<Plan> {
  readonly plan: Plan | undefined
  readonly rows: readonly TextRow[]
  readonly deletePlan: Plan | undefined
  readonly deletes: readonly TextRow[]
}

/** Characters in one statement, so that large values make smaller statements. */
const TEXT_MAX = 16 * 1024 * 1024

function lengthOf(row: TextRow): number {
  let length = 0
  for (const text of row) length += text?.length ?? 0
  return length
}

/** How rows of one key relate. */
export interface BufferRules {
  readonly mode: 'insert' | 'upsert' | 'update'
  readonly sizeMax: number
}

/**
 * Collects the rows of one table and says when they have to be written first, so that what happens to one key happens
 * in the order of its records:
 * - rows of another plan (schema, set of columns): flush;
 * - a row after a delete of its key: flush, so that the insert survives;
 * - a delete after a row of its key: takes its place, but with inserts: flush;
 * - a second row of a key: takes the place of the first, for one statement may touch a row once; with inserts both go.
 */
export class TableBuffer<Plan> {
  readonly #rules: BufferRules
  #plan: Plan | undefined
  #deletePlan: Plan | undefined
  #rows = new Map<string, TextRow>()
  #deletes = new Map<string, TextRow>()
  readonly #insertedKeys = new Set<string>()
  #added = 0
  #textLength = 0
  #unique = 0

  constructor(rules: BufferRules) {
    this.#rules = rules
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0 && this.#deletes.size === 0
  }

  get isFull(): boolean {
    return this.#added >= this.#rules.sizeMax || this.#textLength >= TEXT_MAX
  }

  /** Whether the buffer must be flushed before this row is added. `key` is undefined where rows have none. */
  mustFlushBeforeRow(plan: Plan, key: string | undefined): boolean {
    if (this.#rows.size > 0 && this.#plan !== plan) return true
    return key !== undefined && this.#deletes.has(key)
  }

  addRow(plan: Plan, key: string | undefined, row: TextRow): void {
    this.#plan = plan
    this.#added++
    this.#textLength += lengthOf(row)
    const replaces = key !== undefined && this.#rules.mode !== 'insert'
    // The number keeps rows without a key, and inserts of one key, apart.
    const slot = replaces ? `=${key}` : `#${key ?? ''}#${this.#unique++}`
    // Deleting first moves the row to the end, to where its latest record stands.
    if (replaces) this.#rows.delete(slot)
    this.#rows.set(slot, row)
    if (!replaces && key !== undefined) this.#insertedKeys.add(key)
  }

  mustFlushBeforeDelete(plan: Plan, key: string): boolean {
    if (this.#deletes.size > 0 && this.#deletePlan !== plan) return true
    return this.#insertedKeys.has(key)
  }

  addDelete(plan: Plan, key: string, row: TextRow): void {
    this.#deletePlan = plan
    this.#added++
    this.#textLength += lengthOf(row)
    this.#rows.delete(`=${key}`)
    this.#deletes.set(key, row)
  }

  /** Hands out everything and starts afresh. */
  take(): Flush<Plan> {
    const flush = {
      plan: this.#plan,
      rows: [...this.#rows.values()],
      deletePlan: this.#deletePlan,
      deletes: [...this.#deletes.values()],
    }
    this.#plan = undefined
    this.#deletePlan = undefined
    this.#rows = new Map()
    this.#deletes = new Map()
    this.#insertedKeys.clear()
    this.#added = 0
    this.#textLength = 0
    return flush
  }
}
