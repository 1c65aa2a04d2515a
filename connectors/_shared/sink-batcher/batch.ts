import type { SinkRecord } from '@millrace/sdk'
import type { Failure } from '../retry/index.ts'

/** What a sink makes of a record. */
export interface Write<T> {
  /** Where it goes when one request can only reach one place (an index, a collection, a URL); left out: all go together. */
  readonly target?: string
  /**
   * Writes with the same key of one target are done in the order of their records. Left out: the order does not matter
   * (something was only appended, or the server itself decides by a version).
   */
  readonly key?: string | undefined
  /** About how many bytes it takes in a request and in memory. */
  readonly bytes: number
  readonly data: T
}

/** A write with its record, as a request carries it. */
export interface BatchItem<T> {
  readonly record: SinkRecord
  readonly key: string | undefined
  readonly bytes: number
  readonly data: T
}

/** One request: never empty, never more than the limits but for a single record that is larger by itself. */
export interface Batch<T> {
  readonly target: string
  readonly items: readonly BatchItem<T>[]
}

/** One item of a batch that was not written while others were. */
export interface ItemFailure {
  /** Its place in `items`. */
  readonly index: number
  readonly failure: Failure
}

/** What became of a batch, when it is more than "all of it is written". */
export interface WriteOutcome {
  readonly failures: readonly ItemFailure[]
  /** Items from this place on were not tried and come again at once, as after the first error of an ordered bulk. */
  readonly attempted?: number
}
