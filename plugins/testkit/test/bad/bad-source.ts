import { setTimeout as delay } from 'node:timers/promises'
import {
  defineConfig,
  defineSourceConnector,
  RetriableError,
  schemas,
  type SourceConnector,
  type SourceRecord,
  struct,
} from '@millrace/sdk'
import { systemOf } from './memory-system.ts'

/** What is wrong with a source. */
export type SourceFlaw =
  | 'nothing'
  | 'illegal-default'
  | 'old-version'
  | 'refuses-all'
  | 'needs-what-has-a-default'
  | 'takes-any-number'
  | 'too-many-tasks'
  | 'value-beside-schema'
  | 'deep-offset'
  | 'leaves-timer'
  | 'leaves-listener'
  | 'leaves-tasks'
  | 'leaves-memory'
  | 'hangs-in-stop'
  | 'ignores-signal'
  | 'forgets-at-stop'
  | 'delivered-by-next-poll'
  | 'skips-after-restart'
  | 'repeats-after-restart'
  | 'shuffles'
  | 'reads-all'
  | 'outage-is-fatal'
  | 'no-tombstone'
  | 'old-schema'
  | 'deaf-after-restart'

const plain = struct({ id: schemas.string, payload: schemas.string })
const later = struct({ id: schemas.string, payload: schemas.string, note: schemas.string })

const kept: unknown[] = []

function config(flaw: SourceFlaw) {
  return defineConfig({
    system: { type: 'string', importance: 'high', doc: 'The system to read' },
    topic: {
      type: 'string',
      importance: 'high',
      doc: 'The topic to write to',
      ...(flaw === 'needs-what-has-a-default' ? { default: '' } : {}),
    },
    batch: { type: 'int', min: 1, default: 2, importance: 'low', doc: 'Events of a poll' },
    retries: { type: 'int', min: 1, default: flaw === 'illegal-default' ? 0 : 2, importance: 'low', doc: 'Not used' },
    pause: { type: 'long', default: 1, importance: 'low', doc: 'Milliseconds between polls that find nothing' },
  })
}

/** A source that is right but for its flaw. */
export function badSource(flaw: SourceFlaw): SourceConnector {
  const definition = defineSourceConnector({
    name: 'BadSource',
    version: flaw === 'old-version' ? '0.9.0' : '1.0.0',
    config: config(flaw),
    validate({ pause }) {
      if (flaw === 'refuses-all') return [{ key: 'system', message: 'system is never right' }]
      return pause < 0 && flaw !== 'takes-any-number' ? [{ key: 'pause', message: 'pause cannot be negative' }] : []
    },
    taskConfigs(_config, maxTasks, raw) {
      return flaw === 'too-many-tasks' ? Array.from({ length: maxTasks + 1 }, () => raw) : [raw]
    },
    createTask({ system, topic, batch }, context) {
      const { events } = systemOf(system)
      if (topic === '') (undefined as unknown as string).trim()
      const sourcePartition = { system }
      let next = 0
      let aborted = false
      let all: string[] = []
      const leak = () => {
        if (flaw === 'leaves-timer') setInterval(() => {}, 1_000_000).unref()
        if (flaw === 'leaves-listener') process.setMaxListeners(0).on('SIGUSR2', () => {})
        if (flaw === 'leaves-tasks') kept.push(task)
        if (flaw === 'leaves-memory') kept.push(Buffer.alloc(200_000))
      }
      const recordOf = (index: number): SourceRecord => {
        const { id, payload, removed, evolved } = events[index]!
        const value = { id, payload, ...(evolved ? { note: 'later' } : {}) }
        const shown = flaw === 'value-beside-schema' ? { ...value, payload: 5 } : value
        return {
          topic,
          partition: null,
          key: id,
          keySchema: schemas.string,
          value: removed && flaw !== 'no-tombstone' ? null : shown,
          valueSchema: evolved && flaw !== 'old-schema' ? later : plain,
          headers: [],
          timestamp: null,
          sourcePartition,
          sourceOffset: { next: index + 1, ...(flaw === 'deep-offset' ? { deep: { er: 1 } as never } : {}) },
        }
      }
      const task = {
        async start() {
          const offset = await context.offsets.offset(sourcePartition)
          next = Number(offset?.['next'] ?? 0)
          if (flaw === 'forgets-at-stop' || flaw === 'delivered-by-next-poll') next = systemOf(system).done
          if (flaw === 'skips-after-restart' && next > 0) next++
          if (flaw === 'deaf-after-restart' && next > 0) next = Number.POSITIVE_INFINITY
          if (flaw === 'repeats-after-restart' && next > 0) next--
          if (flaw === 'reads-all') all = events.map(({ id, payload }) => Buffer.from(id + payload).toString())
          leak()
        },
        async poll(signal: AbortSignal) {
          if (systemOf(system).away) {
            if (flaw === 'outage-is-fatal') throw new Error('the system is away')
            throw new RetriableError('the system is away', { retryAfterMs: 1 })
          }
          if (flaw === 'delivered-by-next-poll') systemOf(system).done = next
          if (next >= events.length) {
            if (flaw === 'ignores-signal') await new Promise<void>(() => {})
            await delay(flaw === 'hangs-in-stop' ? 20 : 1, undefined, { signal }).catch(() => undefined)
            aborted = signal.aborted
            return null
          }
          const end = Math.min(events.length, next + batch)
          const records = Array.from({ length: end - next }, (_, index) => recordOf(next + index))
          next = end
          return flaw === 'shuffles' ? records.reverse() : records
        },
        commit(offsets: readonly { sourceOffset: { readonly next?: unknown } }[]) {
          if (flaw === 'delivered-by-next-poll') return
          systemOf(system).done = Number(offsets.at(-1)?.sourceOffset.next)
        },
        stop() {
          if (flaw === 'hangs-in-stop' && aborted) return new Promise<void>(() => {})
          if (flaw === 'forgets-at-stop') systemOf(system).done = next
          if (flaw !== 'reads-all') all = []
          return all.length > 0 ? undefined : Promise.resolve()
        },
      }
      return task
    },
  })
  return definition as unknown as SourceConnector
}
