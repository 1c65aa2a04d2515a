import {
  DataError,
  defineConfig,
  defineSinkConnector,
  RetriableError,
  type SinkConnector,
  type SinkRecord,
} from '@millrace/sdk'
import { systemOf } from './memory-system.ts'

/** What is wrong with a sink. */
export type SinkFlaw =
  | 'nothing'
  | 'reverses'
  | 'leaves-timer'
  | 'written-at-stop'
  | 'leaves-lock'
  | 'appends-again'
  | 'forgets-others-at-close'
  | 'gathers'
  | 'outage-is-fatal'
  | 'fails-on-tombstone'
  | 'keeps-first-shape'
  | 'swallows-bad'
  | 'bad-is-unknown'

const config = defineConfig({ system: { type: 'string', importance: 'high', doc: 'The system to write to' } })

interface Row {
  readonly at: string
  readonly value: unknown
}

/** Adds a row for each record that is not there yet, and is right but for its flaw. */
export function badSink(flaw: SinkFlaw): SinkConnector {
  const definition = defineSinkConnector({
    name: 'BadSink',
    version: '1.0.0',
    config,
    taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => raw),
    createTask({ system }, context) {
      const target = systemOf(system)
      let waiting: SinkRecord[] = []
      let shape: string | undefined
      const write = (records: readonly SinkRecord[]): void => {
        const there = new Set((target.written as Row[]).map(({ at }) => at))
        for (const record of records) {
          const at = `${record.originalPartition}-${record.originalOffset}`
          if (flaw === 'appends-again' || !there.has(at)) target.written.push({ at, value: record.value } satisfies Row)
        }
      }
      const problemOf = ({ value }: SinkRecord): Error | undefined => {
        if (value === null) return flaw === 'fails-on-tombstone' ? new TypeError('value is null') : undefined
        if (typeof value !== 'object') {
          return flaw === 'bad-is-unknown' ? new TypeError('no object') : new DataError('only structs can be written')
        }
        shape ??= Object.keys(value).join()
        const isNew = flaw === 'keeps-first-shape' && shape !== Object.keys(value).join()
        return isNew ? new DataError('the table has no such column') : undefined
      }
      const sift = async (records: readonly SinkRecord[]): Promise<readonly SinkRecord[]> => {
        const good: SinkRecord[] = []
        for (const record of records) {
          const error = problemOf(record)
          if (!error) good.push(record)
          else if (flaw === 'swallows-bad') continue
          else if (!context.errantRecordReporter || !(error instanceof DataError)) throw error
          else await context.errantRecordReporter.report(record, error)
        }
        return good
      }
      return {
        open(partitions) {
          if (flaw !== 'leaves-lock') return
          for (const { partition } of partitions) {
            const lock = `${system}-${partition}`
            if (target.locks.has(lock)) throw new Error(`another task has ${lock}`)
            target.locks.add(lock)
          }
        },
        async put(records) {
          if (flaw === 'leaves-timer') setInterval(() => {}, 1_000_000).unref()
          if (target.away && flaw === 'outage-is-fatal') throw new Error('the system is away')
          if (target.away) throw new RetriableError('the system is away', { retryAfterMs: 1 })
          const good = await sift(records)
          if (flaw === 'written-at-stop' || flaw === 'forgets-others-at-close') waiting.push(...good)
          else if (flaw === 'gathers')
            waiting.push(...good.map((record) => ({ ...record, value: copyOf(record.value) })))
          else write(flaw === 'reverses' ? good.toReversed() : good)
        },
        preCommit(offsets) {
          if (flaw === 'forgets-others-at-close') {
            const asked = new Set(offsets.map(({ partition }) => partition))
            write(waiting.filter(({ partition }) => asked.has(partition)))
            waiting = []
          }
          if (flaw === 'gathers') write(waiting.splice(0))
          return offsets
        },
        close(partitions) {
          for (const { partition } of partitions) target.locks.delete(`${system}-${partition}`)
        },
        stop() {
          write(waiting.splice(0))
        },
      }
    },
  })
  return definition as unknown as SinkConnector
}

/** As a sink would that makes a request of it: nothing is shared with the record. */
function copyOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
    typeof inner === 'string' ? Buffer.from(inner).toString('latin1') : inner,
  )
}
