/** One offset of a source as it is stored: both parts are the JSON text of Kafka Connect, the value null to forget it. */
export interface OffsetEntry {
  readonly key: Buffer
  readonly value: Buffer | null
}

/**
 * Where the offsets of sources are kept: a topic, a file or memory. Keys are `["<connector>",{partition}]`, values the
 * offset map, both as JSON without a schema, so that a Java worker finds them again.
 */
export interface OffsetStore {
  start(): Promise<void>
  /** The newest value of each key, in the order asked, read to the end of the store as it was at the time of the call. */
  get(keys: readonly Buffer[]): Promise<readonly (Buffer | null)[]>
  /** Resolves when all entries are durable. */
  set(entries: readonly OffsetEntry[]): Promise<void>
  stop(): Promise<void>
}
