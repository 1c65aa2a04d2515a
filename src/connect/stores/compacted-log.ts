/** A record as it is read back. */
export interface LogRecord {
  readonly key: string
  readonly value: Buffer | null
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
}

/** A record to write; a null value is a tombstone. */
export interface LogWrite {
  readonly key: string
  readonly value: Buffer | null
}

/**
 * A keyed log whose newest value per key counts: a compacted topic, a file or memory. The stores replay it into their
 * state and learn of every write, their own too, by reading it back in the order of the log.
 */
export interface CompactedLog {
  /** Reads all there is into `onRecords`, then goes on reading until `stop`. `onRecords` must not throw. */
  start(onRecords: (records: readonly LogRecord[]) => void): Promise<void>
  /** Resolves when the records are durable and have been through `onRecords`; they are written in the given order. */
  append(records: readonly LogWrite[]): Promise<void>
  /** Resolves when everything that was in the log at the time of the call has been through `onRecords`. */
  readToEnd(): Promise<void>
  stop(): Promise<void>
}
