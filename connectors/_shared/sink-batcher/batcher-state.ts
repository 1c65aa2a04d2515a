import type { SinkRecord, TopicPartition } from '@millrace/sdk'
import type { Failure } from '../retry/index.ts'
import type { BatchItem, WriteOutcome } from './batch.ts'
import type { BatchLimits } from './limits.ts'
import { type Entry, OffsetTracker } from './offset-tracker.ts'

export interface Item<T> extends BatchItem<T> {
  readonly entry: Entry
}

/** Items that go in one request after the other, or, without keys, in several at a time. */
export interface Lane<T> {
  readonly name: string
  readonly target: string
  readonly maxInFlight: number
  queue: Item<T>[]
  /** Where the queue begins. */
  head: number
  bytes: number
  /** Since when the first item waits. */
  sinceMs: number
  inFlight: number
}

/** A batch that was cut from its lane, until the last of its items is settled. It holds its lane, and with it the order. */
export interface Request<T> {
  readonly id: number
  readonly lane: Lane<T>
  /** What is to be sent, one after the other, the next one last; it has several parts while a bad record is looked for. */
  readonly parts: Item<T>[][]
  /** The last of `parts` is on its way. */
  isSent: boolean
  /** Failed tries in a row without any item settled. */
  retries: number
  /** When the next part may be sent; undefined: at once. */
  retryAtMs: number | undefined
  /** Items whose report is not durable yet. */
  reports: number
}

export interface BatcherState<T> {
  readonly limits: BatchLimits
  readonly random: () => number
  readonly offsets: OffsetTracker
  readonly lanes: Map<string, Lane<T>>
  readonly requests: Map<number, Request<T>>
  /** Items that are neither delivered nor reported nor dropped. */
  pendingRecords: number
  pendingBytes: number
  /** Nothing waits for company. */
  isFlushing: boolean
  /** Why the task has to end; nothing is sent any more. */
  failure: Error | undefined
  nextRequestId: number
}

export type BatcherEvent<T> =
  | { type: 'add'; record: SinkRecord; target: string; key: string | undefined; bytes: number; data: T; nowMs: number }
  /** A record cannot be converted. */
  | { type: 'refuse'; record: SinkRecord; error: Error; nowMs: number }
  | { type: 'written'; request: number; outcome: WriteOutcome | undefined; nowMs: number }
  | { type: 'failed'; request: number; failure: Failure; nowMs: number }
  | { type: 'reported'; entry: Entry; bytes: number; request: number | undefined; nowMs: number }
  | { type: 'report-failed'; error: Error }
  | { type: 'flush'; isFlushing: boolean; nowMs: number }
  | { type: 'drop'; partitions: readonly TopicPartition[]; nowMs: number }
  | { type: 'tick'; nowMs: number }

export type BatcherAction<T> =
  | { type: 'write'; request: number; target: string; items: readonly Item<T>[] }
  | { type: 'report'; record: SinkRecord; error: Error; entry: Entry; bytes: number; request: number | undefined }
  | { type: 'fail'; error: Error }

export function newState<T>(limits: BatchLimits, random: () => number): BatcherState<T> {
  return {
    limits,
    random,
    offsets: new OffsetTracker(),
    lanes: new Map(),
    requests: new Map(),
    pendingRecords: 0,
    pendingBytes: 0,
    isFlushing: false,
    failure: undefined,
    nextRequestId: 1,
  }
}

/** `put` has to wait. */
export function isFull({ limits, pendingRecords, pendingBytes, offsets }: BatcherState<unknown>): boolean {
  return Math.max(pendingRecords, offsets.size) >= limits.bufferRecords || pendingBytes >= limits.bufferBytes
}

/** When something is due that no event brings; undefined: never. */
export function nextDueMs(state: BatcherState<unknown>): number | undefined {
  if (state.failure) return undefined
  let dueMs = Number.POSITIVE_INFINITY
  for (const { retryAtMs, isSent } of state.requests.values()) {
    if (!isSent && retryAtMs !== undefined) dueMs = Math.min(dueMs, retryAtMs)
  }
  if (state.requests.size < state.limits.maxInFlight) {
    for (const lane of state.lanes.values()) {
      const waits = lane.queue.length > lane.head && lane.inFlight < lane.maxInFlight
      if (waits) dueMs = Math.min(dueMs, lane.sinceMs + state.limits.lingerMs)
    }
  }
  return Number.isFinite(dueMs) ? dueMs : undefined
}
