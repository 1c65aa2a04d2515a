import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  connectorRecord,
  deletionRecords,
  fencingRecord,
  loggerRecord,
  type RecordToWrite,
  restartRecord,
  sessionKeyRecord,
  targetStateRecord,
  taskRecords,
} from '../../../../src/connect/herder/config-records.ts'
import { type ConfigChange, ConfigState } from '../../../../src/connect/herder/config-state.ts'
import '../../property-settings.ts'

class Replay {
  readonly state = new ConfigState()
  private offset = 0

  apply(...records: RecordToWrite[]): ConfigChange[] {
    return records.flatMap((record) => this.state.apply({ ...record, offset: this.offset++ }))
  }
}

const config = { name: 'src', 'connector.class': 'X' }
const task = (number: number) => ({ 'task.class': 'T', number: String(number) })

test('the offset is the one after the last record, and -1 before any', () => {
  const replay = new Replay()
  expect(replay.state.offset).toBe(-1)
  replay.apply(connectorRecord('src', config))
  expect(replay.state.offset).toBe(1)
})

test('task configurations take effect with their commit record', () => {
  const replay = new Replay()
  replay.apply(connectorRecord('src', config))
  const [first, second, commit] = taskRecords('src', [task(0), task(1)])
  expect(replay.apply(first!, second!)).toEqual([])
  expect(replay.state.tasks('src')).toEqual([])
  expect(replay.apply(commit!)).toEqual([{ kind: 'tasks', connector: 'src', changed: ['src-0', 'src-1'], before: 0 }])
  expect(replay.state.tasks('src')).toEqual(['src-0', 'src-1'])
  expect(replay.state.taskConfig('src', 1)).toEqual(task(1))
})

test('a commit whose tasks are not all there makes the connector inconsistent until a complete one comes', () => {
  const replay = new Replay()
  replay.apply(connectorRecord('src', config), ...taskRecords('src', [task(0), task(1)]))
  const [, second, commit] = taskRecords('src', [task(5), task(6)])
  const changes = replay.apply(second!, commit!)
  expect(changes).toEqual([{ kind: 'tasks', connector: 'src', changed: ['src-0', 'src-1'], before: 2 }])
  expect(replay.state.tasks('src')).toEqual([])
  expect(replay.state.taskConfig('src', 0)).toBeNull()
  expect(replay.state.inconsistentConnectors()).toEqual(['src'])
  replay.apply(...taskRecords('src', [task(7), task(8)]))
  expect(replay.state.inconsistentConnectors()).toEqual([])
  expect(replay.state.taskConfig('src', 0)).toEqual(task(7))
})

test('a commit names only the tasks that changed while the connector stayed the same', () => {
  const replay = new Replay()
  replay.apply(connectorRecord('src', config), ...taskRecords('src', [task(0), task(1)]))
  const changes = replay.apply(...taskRecords('src', [task(0), task(9), task(2)]))
  expect(changes).toEqual([{ kind: 'tasks', connector: 'src', changed: ['src-1', 'src-2'], before: 2 }])
})

test('after a change of the connector a commit changes all of its tasks', () => {
  const replay = new Replay()
  replay.apply(connectorRecord('src', config), ...taskRecords('src', [task(0)]))
  replay.apply(connectorRecord('src', { ...config, transforms: 'a' }))
  expect(replay.apply(...taskRecords('src', [task(0)]))).toEqual([
    { kind: 'tasks', connector: 'src', changed: ['src-0'], before: 1 },
  ])
})

test('tasks that compaction left of a deleted connector stay dead', () => {
  const replay = new Replay()
  replay.apply(...taskRecords('src', [task(0)]), connectorRecord('src', config))
  expect(replay.state.tasks('src')).toEqual([])
})

test('an initial state counts from the first moment of the connector', () => {
  const replay = new Replay()
  expect(replay.apply(targetStateRecord('src', 'PAUSED'))).toEqual([])
  expect(replay.apply(connectorRecord('src', config))).toEqual([{ kind: 'connector', connector: 'src', created: true }])
  expect(replay.state.target('src')).toBe('PAUSED')
})

test('STOPPED is written so that old workers read PAUSED', () => {
  const { value } = targetStateRecord('src', 'STOPPED')
  expect(JSON.parse(String(value))).toEqual({ state: 'PAUSED', 'state.v2': 'STOPPED' })
  const replay = new Replay()
  replay.apply(connectorRecord('src', config))
  expect(replay.apply(targetStateRecord('src', 'STOPPED'))).toEqual([{ kind: 'target-state', connector: 'src' }])
  expect(replay.state.target('src')).toBe('STOPPED')
  expect(replay.apply({ key: 'target-state-src', value: Buffer.from('{"state":"STARTED"}') })).toHaveLength(1)
  expect(replay.state.target('src')).toBe('STARTED')
})

test('a deleted connector takes tasks and target state along', () => {
  const replay = new Replay()
  replay.apply(connectorRecord('src', config), ...taskRecords('src', [task(0)]), targetStateRecord('src', 'PAUSED'))
  expect(replay.apply(...deletionRecords('src'))).toEqual([
    { kind: 'connector-removed', connector: 'src', tasks: ['src-0'] },
  ])
  replay.apply(connectorRecord('src', config))
  expect([replay.state.target('src'), replay.state.tasks('src')]).toEqual(['STARTED', []])
})

test('restart requests, logger levels, session keys and fencing counts have the form of Kafka Connect', () => {
  const replay = new Replay()
  const request = { connector: 'src', includeTasks: true, onlyFailed: false }
  expect(String(restartRecord(request).value)).toBe('{"include-tasks":true,"only-failed":false}')
  expect(replay.apply(restartRecord(request))).toEqual([{ kind: 'restart', request }])
  expect(replay.apply(loggerRecord('a.b', 'WARN'))).toEqual([{ kind: 'logger-level', namespace: 'a.b', level: 'WARN' }])
  const key = { key: 'a2V5', algorithm: 'HmacSHA256', createdMs: 5 }
  expect(String(sessionKeyRecord(key).value)).toBe('{"key":"a2V5","algorithm":"HmacSHA256","creation-timestamp":5}')
  replay.apply(sessionKeyRecord(key), connectorRecord('src', config), fencingRecord('src', 3))
  expect([replay.state.sessionKey(), replay.state.fencingTaskCount('src')]).toEqual([key, 3])
})

test('a connector whose name looks like a task key is told apart from the task', () => {
  const replay = new Replay()
  replay.apply(connectorRecord('a-1', config), ...taskRecords('a-1', [task(0)]))
  expect(replay.state.tasks('a-1')).toEqual(['a-1-0'])
})

test.each([
  ['connector-x', 'no json'],
  ['connector-x', '[]'],
  ['task-x', '{"properties":{}}'],
  ['commit-src', '{"tasks":-1}'],
  ['target-state-src', '{"state":"DANCING"}'],
  ['session-key', '{"key":1}'],
  ['whatever', '{}'],
])('a record %s with value %s is skipped and reported', (key, value) => {
  const replay = new Replay()
  replay.apply(connectorRecord('src', config))
  expect(replay.apply({ key, value: Buffer.from(value) })).toEqual([
    { kind: 'bad-record', key, reason: expect.any(String) as string },
  ])
  expect(replay.state.has('src')).toBe(true)
})

test('arbitrary records never throw', () => {
  const keys = [
    'connector-',
    'task-',
    'commit-',
    'target-state-',
    'session-key',
    'restart-connector-',
    'tasks-fencing-',
  ]
  fc.assert(
    fc.property(fc.constantFrom(...keys), fc.string(), fc.option(fc.json()), (prefix, rest, json) => {
      const value = json === null ? null : Buffer.from(json)
      expect(() => new Replay().apply({ key: prefix + rest, value })).not.toThrow()
    }),
  )
})

test('whatever records compaction has removed, a connector has all of its tasks or none', () => {
  const history: RecordToWrite[] = [
    connectorRecord('src', config),
    ...taskRecords('src', [task(0), task(1), task(2)]),
    connectorRecord('src', { ...config, v: '2' }),
    ...taskRecords('src', [task(10), task(11)]),
    ...taskRecords('src', [task(20), task(21), task(22), task(23)]),
  ]
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: history.length, maxLength: history.length }), (kept) => {
      const replay = new Replay()
      // Compaction may remove a record only when a later one of the same key follows.
      replay.apply(
        ...history.filter((record, i) => kept[i] || !history.slice(i + 1).some((later) => later.key === record.key)),
      )
      const numbers = replay.state.tasks('src').map((_, i) => Number(replay.state.taskConfig('src', i)?.number))
      expect([[20, 21, 22, 23]]).toContainEqual(numbers)
    }),
  )
})

const labelled = (labels: string) => ({ ...config, 'required.worker.labels': labels })

test('a connector requires the labels of its configuration, its tasks those that they were made with as well', () => {
  const replay = new Replay()
  replay.apply(connectorRecord('src', labelled('zone=a, role=edge')), ...taskRecords('src', [task(0)]))
  const required = (kind: 'connectors' | 'tasks') => [...replay.state.requiredLabels(kind, 'src')]
  expect([required('connectors'), required('tasks')]).toEqual([
    ['zone=a', 'role=edge'],
    ['zone=a', 'role=edge'],
  ])
  const other = { kind: 'required-labels', connector: 'src' }
  expect(replay.apply(connectorRecord('src', labelled('zone=b')))).toEqual([
    { kind: 'connector', connector: 'src', created: false },
    other,
  ])
  expect([required('connectors'), required('tasks')]).toEqual([['zone=b'], ['zone=b', 'zone=a', 'role=edge']])
  expect(replay.apply(...taskRecords('src', [task(0)]))).toContainEqual(other)
  expect(required('tasks')).toEqual(['zone=b'])
  expect(replay.state.requirements().tasks.get('src')).toEqual(new Set(['zone=b']))
})

test('the same labels in another order are no news, and connectors without labels require nothing', () => {
  const replay = new Replay()
  replay.apply(connectorRecord('src', labelled('zone=a,role=edge')), connectorRecord('free', config))
  expect(replay.apply(connectorRecord('src', labelled('role=edge, zone=a')))).toEqual([
    { kind: 'connector', connector: 'src', created: false },
  ])
  expect([...replay.state.requirements().connectors.keys()]).toEqual(['src'])
  replay.apply(...deletionRecords('src'))
  expect(replay.state.requirements().connectors.size).toBe(0)
})
