import { afterEach, expect, test } from 'vitest'
import type { ConnectHerder } from '../../../../src/connect/index.ts'
import { standaloneHerder, until } from './standalone.ts'

const running: ConnectHerder[] = []

async function start(overrides: Parameters<typeof standaloneHerder>[0] = {}) {
  const started = await standaloneHerder(overrides)
  running.push(started.herder)
  return started
}

afterEach(async () => {
  for (const herder of running.splice(0)) await herder.stop()
})

const config = { 'connector.class': 'FakeSource', topic: 't', 'tasks.max': '2' }
const states = (herder: ConnectHerder, name = 'src') => {
  const status = herder.connectorStatus(name)
  return [status.connector.state, ...status.tasks.map((task) => task.state)].join(' ')
}
const untilStates = (herder: ConnectHerder, wanted: string, name = 'src') =>
  until(
    () => states(herder, name),
    (seen) => seen === wanted,
  )

test('a created connector runs with its tasks', async () => {
  const { herder } = await start()
  const info = await herder.createConnector('src', config, 'STARTED')
  expect(info).toEqual({ name: 'src', config: { ...config, name: 'src' }, tasks: [], type: 'source' })
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
  expect((await herder.connectorInfo('src')).tasks).toEqual([
    { connector: 'src', task: 0 },
    { connector: 'src', task: 1 },
  ])
})

test('a connector created PAUSED starts paused and has tasks once it is resumed', async () => {
  const { herder } = await start()
  await herder.createConnector('src', config, 'PAUSED')
  await untilStates(herder, 'PAUSED')
  await herder.setTarget('src', 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
})

test('pause and resume reach connector and tasks without restarting them', async () => {
  const { herder, worker } = await start()
  await herder.createConnector('src', config, 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
  await herder.setTarget('src', 'PAUSED')
  await untilStates(herder, 'PAUSED PAUSED PAUSED')
  await herder.setTarget('src', 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
  expect(worker.journal.filter((entry) => entry.startsWith('stop'))).toEqual([])
})

test('a stopped connector loses its tasks and gets them back on resume', async () => {
  const { herder, worker } = await start()
  await herder.createConnector('src', config, 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
  await herder.setTarget('src', 'STOPPED')
  await untilStates(herder, 'STOPPED')
  await until(
    () => worker.tasks.size,
    (size) => size === 0,
  )
  await herder.setTarget('src', 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
})

test('scaling up starts the new tasks; those that stay the same are restarted since their connector changed', async () => {
  const { herder, worker } = await start()
  await herder.createConnector('src', config, 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
  await herder.putConnectorConfig('src', { ...config, 'tasks.max': '3' })
  await untilStates(herder, 'RUNNING RUNNING RUNNING RUNNING')
  expect([...worker.tasks.keys()].sort()).toEqual(['src-0', 'src-1', 'src-2'])
  const order = worker.journal.filter((entry) => /src-\d/.test(entry)).slice(2)
  expect(order.slice(0, 2).every((entry) => entry.startsWith('stop'))).toBe(true)
})

test('a deleted connector leaves nothing behind', async () => {
  const { herder, worker } = await start()
  await herder.createConnector('src', config, 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
  await herder.deleteConnector('src')
  await until(
    () => worker.tasks.size + worker.connectors.size,
    (left) => left === 0,
  )
  expect(() => herder.connectorStatus('src')).toThrow('No status found for connector src')
  await expect(herder.connectorInfo('src')).rejects.toThrow('Connector src not found')
})

test('a restart of failed tasks touches only those', async () => {
  const { herder, worker } = await start()
  worker.failTasks.add('src-1')
  await herder.createConnector('src', config, 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING FAILED')
  worker.failTasks.clear()
  worker.journal.length = 0
  const answer = await herder.restartConnectorAndTasks('src', true, true)
  expect([answer.connector.state, ...answer.tasks.map((task) => task.state)]).toEqual([
    'RUNNING',
    'RUNNING',
    'RESTARTING',
  ])
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
  expect(worker.journal).toEqual(['stop src-1', 'start src-1 1 STARTED'])
})

test('one task can be restarted alone', async () => {
  const { herder, worker } = await start()
  await herder.createConnector('src', config, 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
  worker.journal.length = 0
  await herder.restartTask('src', 0)
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
  await until(
    () => worker.journal.length,
    (length) => length === 2,
  )
  expect(worker.journal).toEqual(['stop src-0', 'start src-0 0 STARTED'])
  await expect(herder.restartTask('src', 9)).rejects.toThrow('Unknown task: src-9')
  await expect(herder.restartTask('nope', 0)).rejects.toThrow('Unknown connector: nope')
})

test('task configurations that cannot be had are asked for again', async () => {
  const { herder, worker } = await start()
  worker.failTaskConfigs = 1
  await herder.createConnector('src', config, 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
})

test('a task that hangs in stop holds up its own connector only', async () => {
  const { herder, worker } = await start()
  await herder.createConnector('src', config, 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING RUNNING')
  let release = () => {}
  worker.stopGate = new Promise((resolve) => {
    release = resolve
  })
  await herder.setTarget('src', 'STOPPED')
  await herder.createConnector('other', { ...config, 'tasks.max': '1' }, 'STARTED')
  await untilStates(herder, 'RUNNING RUNNING', 'other')
  expect(worker.tasks.has('src-0')).toBe(true)
  release()
  await until(
    () => worker.tasks.size,
    (size) => size === 1,
  )
})

test('the password of a connector is in no answer and no trace', async () => {
  const { herder } = await start()
  const secret = { ...config, login: 'tiger-secret', fail: 'yes' }
  const created = await herder.createConnector('src', secret, 'STARTED')
  expect(created.config.login).toBe('[hidden]')
  const status = await until(
    () => herder.connectorStatus('src'),
    (seen) => seen.connector.state === 'FAILED',
  )
  expect(status.connector.trace).toBe('cannot log in with [hidden]')
  const read = await herder.connectorInfo('src')
  expect(JSON.stringify(read)).not.toContain('tiger')
  const { info } = await herder.putConnectorConfig('src', { ...read.config, topic: 'u' })
  expect(info.config.topic).toBe('u')
  const again = await until(
    () => herder.connectorStatus('src'),
    (seen) => seen.connector.state === 'FAILED',
  )
  expect(again.connector.trace).toBe('cannot log in with [hidden]')
})

test('the mask of a password is refused where none is stored', async () => {
  const { herder } = await start()
  await expect(herder.createConnector('src', { ...config, login: '[hidden]' }, 'STARTED')).rejects.toThrow(
    'Invalid value [hidden] for configuration login',
  )
})

test('labels are written as they are: the leader asks no config provider', async () => {
  const { herder } = await start()
  const create = herder.createConnector('src', { ...config, 'required.worker.labels': '${env::ZONE}' }, 'STARTED')
  await expect(create).rejects.toThrow('Invalid value ${env::ZONE} for configuration required.worker.labels')
})

test('topics are tracked and can be reset', async () => {
  const { herder, worker } = await start()
  await herder.createConnector('src', config, 'STARTED')
  worker.useTopic({ connector: 'src', task: 0 }, 't1')
  await until(
    () => herder.topics('src'),
    (topics) => topics.length === 1,
  )
  await herder.resetTopics('src')
  expect(herder.topics('src')).toEqual([])
  const { herder: untracked } = await start({ topicTracking: { enabled: false, allowReset: true } })
  expect(() => untracked.topics('src')).toThrow('Topic tracking is disabled.')
})

test('fifty connectors created at once all run', async () => {
  const { herder } = await start()
  const names = Array.from({ length: 50 }, (_, i) => `c${i}`)
  await Promise.all(names.map((name) => herder.createConnector(name, config, 'STARTED')))
  for (const name of names) await untilStates(herder, 'RUNNING RUNNING RUNNING', name)
})

test('the same name twice at once is one connector and one conflict', async () => {
  const { herder } = await start()
  const results = await Promise.allSettled([
    herder.createConnector('src', config, 'STARTED'),
    herder.createConnector('src', config, 'STARTED'),
  ])
  expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected'])
})

test('two patches at once both count', async () => {
  const { herder } = await start()
  await herder.createConnector('src', config, 'STARTED')
  await Promise.all([
    herder.patchConnectorConfig('src', { topic: 'other' }),
    herder.patchConnectorConfig('src', { 'tasks.max': '1' }),
  ])
  expect((await herder.connectorInfo('src')).config).toMatchObject({ topic: 'other', 'tasks.max': '1' })
})

test('a connector that is put twice at once is created once and then replaced', async () => {
  const { herder } = await start()
  const put = (topic: string) => herder.putConnectorConfig('src', { ...config, topic })
  const [first, second] = await Promise.all([put('a'), put('b')])
  expect([first.created, second.created]).toEqual([true, false])
  expect((await herder.connectorInfo('src')).config).toMatchObject({ topic: 'b' })
})

test('a connector that is deleted while a patch is validated stays deleted', async () => {
  const { herder, worker } = await start()
  await herder.createConnector('src', config, 'STARTED')
  const validate = worker.validate.bind(worker)
  worker.validate = async (raw) => {
    await herder.deleteConnector('src')
    return validate(raw)
  }
  await expect(herder.patchConnectorConfig('src', { topic: 'other' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(herder.connectors()).toEqual([])
})

test('a change that fails does not keep the next one of the same connector from happening', async () => {
  const { herder } = await start()
  const wrong = herder.createConnector('src', { 'connector.class': 'FakeSource' }, 'STARTED')
  const right = herder.createConnector('src', config, 'STARTED')
  await expect(wrong).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  expect((await right).name).toBe('src')
})
