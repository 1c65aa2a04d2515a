import { expect, test } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import { realClock } from '../../../../src/base/real/index.ts'
import { type Status, statusRecord } from '../../../../src/connect/herder/status-state.ts'
import { createMemoryLog } from '../../../../src/connect/stores/memory-log.ts'
import type { CompactedLog, LogWrite } from '../../../../src/connect/stores/compacted-log.ts'
import { createStatusStore } from '../../../../src/connect/stores/status-store.ts'

const running: Status = { state: 'RUNNING', trace: null, workerId: 'me', generation: 8, version: null }
const goodbye: Status = { ...running, state: 'UNASSIGNED', workerId: 'old', generation: 7 }

function open(log: CompactedLog) {
  const isConfigured = (_kind: string, key: string) => key !== 'gone-0'
  return createStatusStore({ log, logger: silentLogger, clock: realClock, workerId: 'me', isConfigured })
}

/** A memory log that remembers what was written. */
function recordingLog() {
  const memory = createMemoryLog(realClock)
  const written: LogWrite[] = []
  const log: CompactedLog = {
    ...memory,
    append: async (records) => {
      written.push(...records)
      await memory.append(records)
    },
  }
  return { log, written }
}

test('a status is seen at once, and written with the others of the same turn in one go', async () => {
  const { log, written } = recordingLog()
  const store = open(log)
  await store.start()
  store.put('tasks', 'c-0', running)
  store.put('tasks', 'c-1', running)
  expect([store.state.get('tasks', 'c-0'), written.length]).toEqual([running, 0])
  await store.flush()
  expect(written.map(({ key }) => key)).toEqual(['status-task-c-0', 'status-task-c-1'])
})

test('the owner says again how it is when an earlier owner spoke after it', async () => {
  const { log, written } = recordingLog()
  const store = open(log)
  await store.start()
  store.put('tasks', 'c-0', running)
  await store.flush()
  await log.append([statusRecord('tasks', 'c-0', goodbye)])
  await store.flush()
  expect(store.state.get('tasks', 'c-0')).toEqual(running)
  expect(written.map(({ value }) => JSON.parse(String(value)).worker_id)).toEqual(['me', 'old', 'me'])
})

test('the owner says again how it is when a deletion comes late, and lets go of what is deleted', async () => {
  const { log, written } = recordingLog()
  const store = open(log)
  await store.start()
  store.put('tasks', 'c-0', running)
  store.put('tasks', 'gone-0', running)
  await store.flush()
  await log.append([statusRecord('tasks', 'c-0', null), statusRecord('tasks', 'gone-0', null)])
  await store.flush()
  expect([store.state.get('tasks', 'c-0'), store.state.get('tasks', 'gone-0')]).toEqual([running, undefined])
  expect(written.slice(4).map(({ key }) => key)).toEqual(['status-task-c-0'])
})

test('what the owner deletes itself stays deleted', async () => {
  const { log, written } = recordingLog()
  const store = open(log)
  await store.start()
  store.put('tasks', 'c-0', running)
  store.delete('tasks', 'c-0')
  await store.flush()
  expect([store.state.get('tasks', 'c-0'), written.length]).toEqual([undefined, 2])
})

test('statuses that cannot be written do not stop the ones after them', async () => {
  const { log, written } = recordingLog()
  let fails = true
  const store = open({ ...log, append: (records) => (fails ? Promise.reject(new Error('away')) : log.append(records)) })
  await store.start()
  store.put('tasks', 'c-0', running)
  await store.flush()
  fails = false
  store.put('tasks', 'c-1', running)
  await store.flush()
  expect(written.map(({ key }) => key)).toEqual(['status-task-c-1'])
})

test('a safe write gives way to a newer owner', async () => {
  const { log, written } = recordingLog()
  const store = open(log)
  await store.start()
  store.put('tasks', 'c-0', { ...running, workerId: 'other', generation: 9 })
  store.putSafely('tasks', 'c-0', { ...running, state: 'UNASSIGNED' })
  await store.flush()
  expect(written).toHaveLength(1)
})
