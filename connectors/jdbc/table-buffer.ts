import type { BoundRow } from './sql.ts'

/** Which row of the table it is. */
export type RowKey = string | number

/** What a flush writes: the deletes and the rows concern different keys, so their order does not matter. */
export interface Flush<Plan> {
  readonly plan: Plan | undefined
  readonly rows: readonly BoundRow[]
  readonly deletePlan: Plan | undefined
  readonly deletes: readonly BoundRow[]
}

/** Characters and bytes in one statement, so that large values make smaller statements. */
const SIZE_MAX = 16 * 1024 * 1024
const NUMBER_SIZE = 8

function sizeOf(row: BoundRow): number {
  let size = 0
  for (const value of row) {
    if (typeof value === 'string') size += value.length
    else size += value instanceof Uint8Array ? value.length : NUMBER_SIZE
  }
  return size
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
  readonly #replaces: boolean
  readonly #sizeMax: number
  #plan: Plan | undefined
  #deletePlan: Plan | undefined
  /** Inserts, and rows that have no key. */
  #rows: BoundRow[] = []
  /** Rows that a later one of their key replaces. */
  #byKey = new Map<RowKey, BoundRow>()
  #deletes = new Map<RowKey, BoundRow>()
  readonly #insertedKeys = new Set<RowKey>()
  #added = 0
  #size = 0

  constructor({ mode, sizeMax }: BufferRules) {
    this.#replaces = mode !== 'insert'
    this.#sizeMax = sizeMax
  }

  get isEmpty(): boolean {
    return !this.#hasRows && this.#deletes.size === 0
  }

  get isFull(): boolean {
    return this.#added >= this.#sizeMax || this.#size >= SIZE_MAX
  }

  get #hasRows(): boolean {
    return this.#rows.length > 0 || this.#byKey.size > 0
  }

  /** Whether the buffer must be flushed before this row is added. `key` is undefined where rows have none. */
  mustFlushBeforeRow(plan: Plan, key: RowKey | undefined): boolean {
    if (this.#plan !== plan && this.#hasRows) return true
    return this.#deletes.size > 0 && key !== undefined && this.#deletes.has(key)
  }

  addRow(plan: Plan, key: RowKey | undefined, row: BoundRow): void {
    this.#plan = plan
    this.#added++
    this.#size += sizeOf(row)
    if (key === undefined || !this.#replaces) {
      this.#rows.push(row)
      if (key !== undefined) this.#insertedKeys.add(key)
      return
    }
    const before = this.#byKey.size
    this.#byKey.set(key, row)
    if (this.#byKey.size > before) return
    // Deleting moves the row to the end, to where its latest record stands.
    this.#byKey.delete(key)
    this.#byKey.set(key, row)
  }

  mustFlushBeforeDelete(plan: Plan, key: RowKey): boolean {
    if (this.#deletes.size > 0 && this.#deletePlan !== plan) return true
    return this.#insertedKeys.has(key)
  }

  addDelete(plan: Plan, key: RowKey, row: BoundRow): void {
    this.#deletePlan = plan
    this.#added++
    this.#size += sizeOf(row)
    this.#byKey.delete(key)
    this.#deletes.set(key, row)
  }

  /** Hands out everything and starts afresh. */
  take(): Flush<Plan> {
    const flush = {
      plan: this.#plan,
      rows: this.#byKey.size === 0 ? this.#rows : [...this.#byKey.values(), ...this.#rows],
      deletePlan: this.#deletePlan,
      deletes: [...this.#deletes.values()],
    }
    this.#plan = undefined
    this.#deletePlan = undefined
    this.#rows = []
    this.#byKey = new Map()
    this.#deletes = new Map()
    this.#insertedKeys.clear()
    this.#added = 0
    this.#size = 0
    return flush
  }
}
