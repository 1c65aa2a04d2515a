import { afterEach, expect, test } from 'vitest'
import { silentLogger } from '../../../src/base/index.ts'
import { realClock } from '../../../src/base/real/index.ts'
import type { ConnectHerder, HealthStatus, Herder } from '../../../src/connect/index.ts'
import { createFlowsApp } from '../../../src/rest/index.ts'
import { standaloneHerder } from '../connect/herder/standalone.ts'

const herders: ConnectHerder[] = []
afterEach(async () => {
  for (const herder of herders.splice(0)) await herder.stop()
})

async function herderOf(): Promise<ConnectHerder> {
  const { herder } = await standaloneHerder()
  herders.push(herder)
  return herder
}

function appOf(flows: Readonly<Record<string, Herder>>) {
  const app = createFlowsApp({
    flows: Object.entries(flows).map(([name, herder]) => ({ name, path: `/${name.replace('->', '/')}`, herder })),
    http: () => Promise.reject(new Error('no network here')),
    clock: realClock,
    logger: silentLogger,
    cors: { allowOrigin: '', allowMethods: '' },
    responseHeaders: [],
    commit: 'abc',
  })
  return async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: string) => {
    const response = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
    return { status: response.statusCode, text: response.body }
  }
}

test('each flow is below its path, and can be read alone', async () => {
  const [first, second] = [await herderOf(), await herderOf()]
  await first.createConnector('src', { 'connector.class': 'FakeSource', topic: 't' }, 'STARTED')
  const call = appOf({ 'A->B': first, 'B->A': second })
  expect(await call('GET', '/A/B/connectors')).toEqual({ status: 200, text: '["src"]' })
  expect(await call('GET', '/B/A/connectors')).toEqual({ status: 200, text: '[]' })
  expect((await call('GET', '/A/B/connectors/src')).text).toContain('"connector.class":"FakeSource"')
  expect(JSON.parse((await call('GET', '/A/B')).text)).toMatchObject({ commit: 'abc' })
  for (const path of ['/connectors', '/A/C/connectors', '/A/B/connector-plugins', '/A/B/admin/loggers']) {
    expect((await call('GET', path)).status).toBe(404)
  }
  expect((await call('PUT', '/A/B/connectors/src/config', '{"connector.class":"FakeSource"}')).status).toBe(405)
  expect((await call('DELETE', '/A/B/connectors/src')).status).toBe(405)
  expect(first.connectors()).toEqual(['src'])
})

test('workers hand in the configurations of tasks, and those of another flow are not theirs', async () => {
  const [first, second] = [await herderOf(), await herderOf()]
  await first.createConnector('src', { 'connector.class': 'FakeSource', topic: 't' }, 'STARTED')
  const call = appOf({ 'A->B': first, 'B->A': second })
  expect((await call('POST', '/A/B/connectors/src/tasks', '[{"task.class":"x"}]')).status).toBe(204)
  expect((await call('POST', '/B/A/connectors/src/tasks', '[]')).status).toBe(404)
  expect((await call('PUT', '/A/B/connectors/src/fence')).status).toBe(409)
})

test('health is that of the worst flow', async () => {
  const herder = (state: HealthStatus) => ({ health: () => state, metrics: () => [] }) as unknown as Herder
  const healthOf = async (...states: HealthStatus[]) =>
    (await appOf(Object.fromEntries(states.map((state, n) => [`A->${n}`, herder(state)])))('GET', '/health')).status
  expect(await healthOf('healthy', 'healthy')).toBe(200)
  expect(await healthOf('healthy', 'starting')).toBe(503)
  expect(await healthOf('unhealthy', 'starting')).toBe(500)
})

test('metrics of all flows are told apart by a label', async () => {
  const { text } = await appOf({ 'A->B': await herderOf(), 'B->A': await herderOf() })('GET', '/metrics')
  const series = text.split('\n').filter((line) => /^kafka_connect_\w+completed_rebalances_total\b/.test(line))
  expect(series.map((line) => /flow="([^"]+)"/.exec(line)?.[1])).toEqual(['A->B', 'B->A'])
})
