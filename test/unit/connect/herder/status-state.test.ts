import { expect, test } from 'vitest'
import {
  mayWriteSafely,
  type Status,
  StatusState,
  statusRecord,
  topicRecord,
} from '../../../../src/connect/herder/status-state.ts'

const running: Status = { state: 'RUNNING', trace: null, workerId: '127.0.0.1:38083', generation: 8, version: '4.3.1' }

test('statuses have the bytes of Kafka Connect', () => {
  const { key, value } = statusRecord('connectors', 'src', running)
  expect([key, String(value)]).toEqual([
    'status-connector-src',
    '{"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:38083","generation":8,"version":"4.3.1"}',
  ])
  expect(statusRecord('tasks', 'src-0', null)).toEqual({ key: 'status-task-src-0', value: null })
  const use = { connector: 'src', topic: 't1', task: 0, discoveredMs: 5 }
  const topic = topicRecord('src', 't1', use)
  expect([topic.key, String(topic.value)]).toEqual([
    'status-topic-t1:connector-src',
    '{"topic":{"name":"t1","connector":"src","task":0,"discoverTimestamp":5}}',
  ])
})

test('what was written is read, additions included', () => {
  const state = new StatusState()
  const failed: Status = { ...running, state: 'FAILED', trace: 'x', restart: { attempts: 2, nextAttemptAtMs: 7 } }
  for (const { key, value } of [statusRecord('connectors', 'src', running), statusRecord('tasks', 'src-0', failed)]) {
    expect(state.apply(key, value)).toBe('applied')
  }
  expect([state.get('connectors', 'src'), state.get('tasks', 'src-0')]).toEqual([running, failed])
  state.apply('status-task-src-0', null)
  expect(state.keys('tasks')).toEqual([])
})

test('a destroyed task is no task', () => {
  const state = new StatusState()
  const { key, value } = statusRecord('tasks', 'src-0', { ...running, state: 'DESTROYED' })
  state.apply(key, value)
  expect(state.get('tasks', 'src-0')).toBeUndefined()
})

test('topics are kept by connector, also under odd names', () => {
  const state = new StatusState()
  const { key, value } = topicRecord('a:connector-b', 't', { connector: '', topic: 't', task: 1, discoveredMs: 1 })
  state.apply(key, value)
  expect(state.topics('a:connector-b')).toEqual(['t'])
  state.apply(key, null)
  expect(state.topics('a:connector-b')).toEqual([])
})

test.each([
  ['status-task-x', 'no json'],
  ['status-task-x', '{"state":"DANCING","worker_id":"a"}'],
  ['status-connector-x', '{"state":"RUNNING"}'],
  ['status-topic-x', '{}'],
  ['else', '{}'],
])('%s with %s is not taken', (key, value) => {
  expect(new StatusState().apply(key, Buffer.from(value))).toBe('unknown')
})

test('a late goodbye does not hide the new owner', () => {
  const goodbye: Status = { ...running, state: 'UNASSIGNED', workerId: 'old', generation: 7 }
  expect(mayWriteSafely(running, goodbye)).toBe(false)
  expect(mayWriteSafely({ ...running, workerId: 'old' }, goodbye)).toBe(true)
  expect(mayWriteSafely({ ...running, generation: 7 }, goodbye)).toBe(true)
  expect(mayWriteSafely(undefined, goodbye)).toBe(true)
})

test('a goodbye that was written with an old view of the log is not taken', () => {
  const state = new StatusState()
  state.apply(...entryOf(running))
  expect(state.apply(...entryOf({ ...running, state: 'UNASSIGNED', workerId: 'old', generation: 7 }))).toBe('outdated')
  expect(state.get('tasks', 'src-0')).toEqual(running)
  expect(state.apply(...entryOf({ ...running, state: 'UNASSIGNED', workerId: 'old', generation: 8 }))).toBe('applied')
})

function entryOf(status: Status): [string, Buffer | null] {
  const { key, value } = statusRecord('tasks', 'src-0', status)
  return [key, value]
}
