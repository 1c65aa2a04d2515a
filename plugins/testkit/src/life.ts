import type { RawConfig } from '@millrace/sdk'
import type { Limits } from './limits.ts'
import type { Committed } from './offset-store.ts'
import type { PackedRecords } from './transfer.ts'

/** One life of a task in a process of its own, which may be killed at any of its await points. */
export type Life = SourceLife | SinkLife

interface AnyLife {
  /** The module whose default export is the definition. */
  readonly module: string
  /** The module of the Kafka clients of its context. */
  readonly kafka?: string
  /** The configuration of the task. */
  readonly config: RawConfig
  readonly seed: number
  /** The await point at which the life ends, from 1; 0 lets it go to its end. */
  readonly endAt: number
  /** A file of JSON lines: what happened, written before anything else can happen. */
  readonly journal: string
  readonly limits: Pick<Limits, 'deadlineMs' | 'stopDeadlineMs'>
}

export interface SourceLife extends AnyLife {
  readonly kind: 'source'
  readonly offsets: readonly Committed[]
  /** Whether records are told from each other by ids of events, or by what they are. */
  readonly hasEvents: boolean
  /** The life is over when so many different records came. */
  readonly wanted: number
  /** Events happen when the task has polled once: the owner is told then. */
  readonly listens: boolean
}

export interface SinkLife extends AnyLife {
  readonly kind: 'sink'
  readonly topic: string
  readonly partitions: number
  readonly records: PackedRecords
  readonly committed: readonly (readonly [number, number])[]
}

/** The file descriptor of the pipe by which a process tells its owner that its task listens. */
export const LISTENS_PIPE = 3
