import type { CompactedLog } from './compacted-log.ts'
import type { OffsetStore } from './offset-store.ts'

/** Source offsets over a keyed log: the topic of a distributed worker, the file or memory of a standalone one. */
export function createOffsetStore(log: CompactedLog): OffsetStore {
  const offsets = new Map<string, Buffer>()
  return {
    start: () =>
      log.start((records) => {
        for (const { key, value } of records) {
          if (value === null) offsets.delete(key)
          else offsets.set(key, value)
        }
      }),
    async get(keys) {
      await log.readToEnd()
      return keys.map((key) => offsets.get(key.toString('utf8')) ?? null)
    },
    set: (entries) => log.append(entries.map(({ key, value }) => ({ key: key.toString('utf8'), value }))),
    stop: () => log.stop(),
  }
}
