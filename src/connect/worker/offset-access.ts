import type { CommittedOffset, OffsetReader, SourceOffset } from '@millrace/sdk'
import type { LogProducer } from './log-clients.ts'
import { offsetKey, offsetValue, parseOffset } from './offset-json.ts'

/** The worker's offset store as a task host reaches it. */
export interface OffsetAccess {
  get(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]>
  set(entries: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[]): Promise<void>
}

/** Reads the committed offsets of one connector. */
export function createOffsetReader(connector: string, access: OffsetAccess): OffsetReader {
  const offsets = async (partitions: readonly Parameters<OffsetReader['offset']>[0][]) => {
    if (partitions.length === 0) return []
    const values = await access.get(partitions.map((partition) => offsetKey(connector, partition)))
    return values.map((value): SourceOffset | null => (value === null ? null : parseOffset(value)))
  }
  return {
    offsets,
    offset: async (partition) => (await offsets([partition]))[0] ?? null,
  }
}

/** Makes offsets durable; rejects when they may not be. */
export type OffsetWriter = (offsets: readonly CommittedOffset[]) => Promise<void>

/** Writes offsets through the worker's process: file and memory stores. */
export function createStoreWriter(connector: string, access: OffsetAccess): OffsetWriter {
  return (offsets) =>
    access.set(
      offsets.map(({ sourcePartition, sourceOffset }) => ({
        key: offsetKey(connector, sourcePartition),
        value: offsetValue(sourceOffset),
      })),
    )
}

/** Writes offsets to the offsets topic with the task's own producer. */
export function createTopicWriter(connector: string, topic: string, producer: LogProducer): OffsetWriter {
  return async (offsets) => {
    for (let wait = producer.ready(topic); wait; wait = producer.ready(topic)) await wait
    const batches = new Set(
      offsets.map(({ sourcePartition, sourceOffset }) =>
        producer.append({ topic, key: offsetKey(connector, sourcePartition), value: offsetValue(sourceOffset) }),
      ),
    )
    for (const batch of batches) {
      await batch.done
      if (batch.state !== 'acked') throw batch.error ?? new Error('the offsets were not acknowledged')
    }
  }
}
