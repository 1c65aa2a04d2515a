// A source task of the MongoDB connector, driven as the worker does.
import type { ConfigDef, SourceConnector, SourcePosition, SourceRecord, SourceTask } from '@millrace/sdk'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { type Offsets, openSourceTask, type Raw } from './task-contract.ts'

export interface RunningMongoSource {
  readonly task: SourceTask
  readonly lines: readonly string[]
  /** One poll that may find nothing; errors that pass are passed over. */
  poll(): Promise<readonly (SourceRecord | SourcePosition)[]>
  /** Polls until so many records came, or fails. What is left of a poll comes with the next call. */
  take(count: number): Promise<SourceRecord[]>
  /** The same with positions that have no record. */
  takeAny(count: number): Promise<(SourceRecord | SourcePosition)[]>
  stop(): Promise<void>
}

export async function startMongoSource<D extends ConfigDef>(
  source: SourceConnector<D>,
  raw: Raw,
  offsets: Offsets,
): Promise<RunningMongoSource> {
  const { task, lines } = await openSourceTask(source, raw, offsets, { connectorName: 'mongo-test' })
  const { signal } = new AbortController()
  const left: (SourceRecord | SourcePosition)[] = []
  let isStopped = false
  const poll = async (): Promise<readonly (SourceRecord | SourcePosition)[]> => {
    try {
      const result = await task.poll(signal)
      return Array.isArray(result) ? (result as (SourceRecord | SourcePosition)[]) : []
    } catch (error) {
      if ((error as { retriable?: boolean }).retriable === true) return []
      throw error
    }
  }
  const takeAny = async (count: number, fits = (_one: SourceRecord | SourcePosition) => true) => {
    const taken: (SourceRecord | SourcePosition)[] = []
    for (const deadline = Date.now() + DEADLINE_MS; ; ) {
      while (left.length > 0 && taken.length < count) {
        const one = left.shift()!
        if (fits(one)) taken.push(one)
      }
      if (taken.length === count) return taken
      if (Date.now() > deadline) throw new Error(`only ${taken.length} of ${count} records: ${lines.join('\n')}`)
      left.push(...(await poll()))
    }
  }
  return {
    task,
    lines,
    poll,
    takeAny,
    take: async (count) => (await takeAny(count, ({ topic }) => topic !== null)) as SourceRecord[],
    async stop() {
      if (!isStopped) await task.stop?.()
      isStopped = true
    },
  }
}
