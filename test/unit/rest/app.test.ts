import { afterEach, expect, test } from 'vitest'
import { silentLogger } from '../../../src/base/index.ts'
import { realClock } from '../../../src/base/real/index.ts'
import type { ConnectHerder, HttpClient, HttpRequest } from '../../../src/connect/index.ts'
import { createRestApp, parseHeaderRules, type RestOptions } from '../../../src/rest/index.ts'
import { standaloneHerder, until } from '../connect/herder/standalone.ts'

const herders: ConnectHerder[] = []
const noNetwork: HttpClient = () => Promise.reject(new Error('no network here'))

async function start(options: Partial<RestOptions> & { herderOptions?: Parameters<typeof standaloneHerder>[0] } = {}) {
  const { herder, worker } = await standaloneHerder(options.herderOptions)
  herders.push(herder)
  const app = createRestApp({
    herder,
    http: noNetwork,
    clock: realClock,
    logger: silentLogger,
    cors: { allowOrigin: '', allowMethods: '' },
    responseHeaders: [],
    parts: { connect: true, admin: true },
    commit: 'abc',
    ...options,
  })
  const call = async (method: string, url: string, body?: unknown) => {
    const response = await app.inject({
      method: method as 'GET',
      url,
      ...(body === undefined
        ? {}
        : {
            payload: typeof body === 'string' ? body : JSON.stringify(body),
            headers: { 'content-type': 'application/json' },
          }),
    })
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      json: response.body === '' ? undefined : (JSON.parse(response.body) as any),
    }
  }
  return { app, herder, worker, call }
}

afterEach(async () => {
  for (const herder of herders.splice(0)) await herder.stop()
})

const config = { 'connector.class': 'FakeSource', topic: 't' }
type Call = Awaited<ReturnType<typeof start>>['call']

async function create(call: Call, name = 'src', extra: Record<string, unknown> = {}) {
  const response = await call('POST', '/connectors', { name, config, ...extra })
  expect(response.status).toBe(201)
}

async function untilRunning(herder: ConnectHerder, name = 'src') {
  await until(
    () => herder.connectorStatus(name),
    (status) => status.tasks.length === 1 && status.tasks.every((task) => task.state === 'RUNNING'),
  )
}

test('the root tells version, commit and cluster', async () => {
  const { call } = await start()
  expect((await call('GET', '/')).json).toEqual({ version: '4.3.1', commit: 'abc', kafka_cluster_id: 'cluster' })
})

test('the root tells the labels of a worker that has some', async () => {
  const { call } = await start({ herderOptions: { labels: new Set(['zone=a', 'role=edge']) } })
  expect((await call('GET', '/')).json).toMatchObject({ worker_labels: ['zone=a', 'role=edge'] })
})

test('health is that of KIP-1017', async () => {
  const { call } = await start()
  const { status, json } = await call('GET', '/health')
  expect([status, json]).toEqual([
    200,
    { status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' },
  ])
})

test('a created connector answers 201 with its place and itself', async () => {
  const { call } = await start()
  const response = await call('POST', '/connectors', { name: ' a b ', config })
  expect(response.status).toBe(201)
  expect(response.headers.location).toMatch(/\/connectors\/a%20b$/)
  expect(response.json).toEqual({ name: 'a b', config: { ...config, name: 'a b' }, tasks: [], type: 'source' })
})

test('connectors are listed, with status and info when asked', async () => {
  const { call, herder } = await start()
  await create(call)
  await untilRunning(herder)
  expect((await call('GET', '/connectors')).json).toEqual(['src'])
  const { json } = await call('GET', '/connectors?expand=status&expand=info')
  expect(json.src.info.type).toBe('source')
  expect(json.src.status.connector).toEqual({ state: 'RUNNING', worker_id: '127.0.0.1:8083', version: '1' })
  expect((await call('GET', '/connectors?expand=zzz')).json).toEqual({ src: {} })
})

test.each([
  ['POST', '/connectors', '{"name":', 400, 'not JSON'],
  ['POST', '/connectors', '[]', 400, 'must be a JSON object'],
  ['POST', '/connectors', '', 400, 'needs a body'],
  ['POST', '/connectors', '{"name":"x"}', 400, 'lacks `config`'],
  ['POST', '/connectors', '{"config":{}}', 400, 'lacks `name`'],
  ['POST', '/connectors', '{"name":"","config":{}}', 400, 'String may not be empty'],
  ['POST', '/connectors', '{"name":"a\\u0007","config":{}}', 400, 'control'],
  ['POST', '/connectors', '{"name":"..","config":{}}', 400, 'no URL could name it'],
  ['POST', '/connectors', '{"name":"x","config":{},"foo":1}', 400, 'Unknown field `foo`'],
  ['POST', '/connectors', '{"name":"x","config":{},"initial_state":"DANCING"}', 400, '`initial_state`'],
  ['POST', '/connectors', '{"name":"x","config":{"a":{}}}', 400, 'value of `a` is an object'],
  ['POST', '/connectors', '{"name":"x","config":{}}', 400, 'Connector config {name=x} contains no connector type'],
  [
    'POST',
    '/connectors',
    '{"name":"x","config":{"name":"y"}}',
    400,
    "Connector name configuration (y) doesn't match connector name in the URL (x)",
  ],
  [
    'PUT',
    '/connectors/x/config',
    '{"name":"y"}',
    400,
    "Connector name configuration (y) doesn't match connector name in the URL (x)",
  ],
  ['PATCH', '/connectors/nope/config', '{}', 404, 'Connector nope not found'],
  ['GET', '/connectors/nope', undefined, 404, 'Connector nope not found'],
  ['GET', '/connectors/nope/config', undefined, 404, 'Connector nope not found'],
  ['GET', '/connectors/nope/status', undefined, 404, 'No status found for connector nope'],
  ['GET', '/connectors/nope/tasks', undefined, 404, 'Connector nope not found'],
  ['GET', '/connectors/src/tasks/7/status', undefined, 404, 'No status found for task src-7'],
  ['GET', '/connectors/src/tasks/x/status', undefined, 404, 'HTTP 404 Not Found'],
  ['DELETE', '/connectors/nope', undefined, 404, 'Connector nope not found'],
  ['POST', '/connectors/nope/restart', undefined, 404, 'Unknown connector: nope'],
  ['POST', '/connectors/nope/restart?includeTasks=true', undefined, 404, 'Unknown connector: nope'],
  ['POST', '/connectors/nope/tasks/0/restart', undefined, 404, 'Unknown connector: nope'],
  ['PUT', '/connectors/nope/pause', undefined, 404, 'Unknown connector nope'],
  ['PUT', '/connectors/nope/resume', undefined, 404, 'Unknown connector nope'],
  ['PUT', '/connectors/nope/stop', undefined, 404, 'Unknown connector nope'],
  ['GET', '/connector-plugins/Nope/config', undefined, 404, 'Unknown plugin Nope.'],
  [
    'PUT',
    '/connector-plugins/FakeSource/config/validate',
    '{"connector.class":"FakeSink"}',
    400,
    'Included connector type FakeSink does not match request type FakeSource',
  ],
  ['GET', '/admin/loggers/org.x', undefined, 404, 'Logger org.x not found.'],
  ['PUT', '/admin/loggers/root', '{}', 400, "Desired 'level' parameter was not specified in request."],
  ['PUT', '/admin/loggers/root', '{"level":"loud"}', 404, "invalid log level 'loud'."],
  [
    'PUT',
    '/admin/loggers/org.x',
    '{"level":"DEBUG"}',
    404,
    'Logger org.x not found. There are root, worker, connector (all connectors) and connector.<name>.',
  ],
  ['GET', '/nowhere', undefined, 404, 'HTTP 404 Not Found'],
  ['POST', '/connectors/x/config', '{}', 405, 'HTTP 405 Method Not Allowed'],
])('%s %s with %s answers %i', async (method, url, body, status, message) => {
  const { call } = await start()
  const response = await call(method, url, body)
  expect(response.status).toBe(status)
  expect(response.json).toEqual({ error_code: status, message: expect.stringContaining(message) as string })
})

test('a mistake in JSON is told by its place and never quotes the body', async () => {
  const { call } = await start()
  const { json } = await call('POST', '/connectors', '{"name":"x","config":{"login":"tiger-secret" "a":1}}')
  expect(json.message).toContain('position')
  expect(json.message).not.toContain('tiger')
})

test("an invalid configuration lists every error in Kafka's words", async () => {
  const { call } = await start()
  const { status, json } = await call('POST', '/connectors', { name: 'x', config: { 'connector.class': 'FakeSource' } })
  expect(status).toBe(400)
  expect(json.message).toBe(
    'Connector configuration is invalid and contains the following 1 error(s):\n' +
      'Missing required configuration "topic" which has no default value.\n' +
      'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
  )
})

test('an existing name is a conflict', async () => {
  const { call } = await start()
  await create(call)
  const { status, json } = await call('POST', '/connectors', { name: 'src', config })
  expect([status, json]).toEqual([409, { error_code: 409, message: 'Connector src already exists' }])
})

test('PUT creates with 201 and updates with 200', async () => {
  const { call } = await start()
  const created = await call('PUT', '/connectors/new/config', config)
  expect([created.status, created.headers.location]).toEqual([201, expect.stringMatching(/\/connectors\/new$/)])
  const updated = await call('PUT', '/connectors/new/config', { ...config, topic: 'u', 'tasks.max': 1 })
  expect([updated.status, updated.json.config['tasks.max']]).toEqual([200, '1'])
})

test('PATCH changes, adds and removes keys', async () => {
  const { call } = await start()
  await create(call)
  const { status, json } = await call('PATCH', '/connectors/src/config', { topic: 'u', extra: 'x' })
  expect([status, json.config]).toEqual([200, { ...config, name: 'src', topic: 'u', extra: 'x' }])
  const removed = await call('PATCH', '/connectors/src/config', { extra: null })
  expect(removed.json.config).toEqual({ ...config, name: 'src', topic: 'u' })
})

test.each([
  ['PUT', '/connectors/src/pause', 202],
  ['PUT', '/connectors/src/resume', 202],
  ['PUT', '/connectors/src/stop', 204],
  ['POST', '/connectors/src/restart', 204],
  ['POST', '/connectors/src/tasks/0/restart', 204],
  ['PUT', '/connectors/src/topics/reset', 202],
  ['DELETE', '/connectors/src', 204],
])('%s %s answers %i without a body', async (method, url, status) => {
  const { call, herder } = await start()
  await create(call)
  await untilRunning(herder)
  const response = await call(method, url)
  expect([response.status, response.text]).toEqual([status, ''])
})

test('a restart with tasks answers 202 with what is planned', async () => {
  const { call, herder } = await start()
  await create(call)
  await untilRunning(herder)
  const { status, json } = await call('POST', '/connectors/src/restart?includeTasks=true')
  expect(status).toBe(202)
  expect([json.connector.state, json.tasks[0].state]).toEqual(['RESTARTING', 'RESTARTING'])
})

test('tasks show their configuration and status', async () => {
  const { call, herder } = await start()
  await create(call)
  await untilRunning(herder)
  expect((await call('GET', '/connectors/src/tasks')).json).toEqual([
    { id: { connector: 'src', task: 0 }, config: { 'task.class': 'FakeTask', number: '0' } },
  ])
  expect((await call('GET', '/connectors/src/tasks/0/status')).json).toEqual({
    id: 0,
    state: 'RUNNING',
    worker_id: '127.0.0.1:8083',
    version: '1',
  })
})

test('topics of a connector, also of one that nobody knows', async () => {
  const { call, herder, worker } = await start()
  await create(call)
  worker.useTopic({ connector: 'src', task: 0 }, 't1')
  await until(
    () => herder.topics('src'),
    (topics) => topics.length === 1,
  )
  expect((await call('GET', '/connectors/src/topics')).json).toEqual({ src: { topics: ['t1'] } })
  expect((await call('GET', '/connectors/nope/topics')).json).toEqual({ nope: { topics: [] } })
})

test.each(['a/b', 'a%b', 'a%2Fb', '%25', 'ä ü?'])(
  'a connector named %s can be made, read and deleted',
  async (name) => {
    const { call, herder } = await start()
    await create(call, name)
    await untilRunning(herder, name)
    const path = `/connectors/${encodeURIComponent(name)}`
    expect((await call('GET', path)).json.name).toBe(name)
    expect((await call('GET', `${path}/status`)).json.name).toBe(name)
    expect((await call('DELETE', path)).status).toBe(204)
    expect((await call('GET', path)).status).toBe(404)
  },
)

test('plugins are listed by kind, connectors only unless asked otherwise', async () => {
  const { call } = await start()
  expect((await call('GET', '/connector-plugins')).json).toEqual([
    { class: 'FakeSink', type: 'sink', version: '1' },
    { class: 'FakeSource', type: 'source', version: '1' },
  ])
  const all = await call('GET', '/connector-plugins?connectorsOnly=false')
  expect(all.json.map((plugin: any) => plugin.type)).toEqual(['sink', 'source', 'transformation'])
  expect((await call('GET', '/connector-plugins/FakeSource/config')).json[0].name).toBe('topic')
})

test('a validation answers 200 with the errors in it and hides passwords', async () => {
  const { call } = await start()
  const { status, json } = await call('PUT', '/connector-plugins/FakeSource/config/validate', { login: 'tiger' })
  expect([status, json.error_count]).toEqual([200, 1])
  expect(json.configs.map((entry: any) => entry.value.value)).toEqual([null, '[hidden]'])
})

test('loggers are read and changed', async () => {
  const { call } = await start()
  expect((await call('GET', '/admin/loggers')).json).toEqual({ root: { level: 'INFO', last_modified: null } })
  expect((await call('PUT', '/admin/loggers/connector.a', { level: 'debug' })).json).toEqual(['connector.a'])
  expect((await call('GET', '/admin/loggers/connector.a.b')).json.level).toBe('DEBUG')
  expect((await call('PUT', '/admin/loggers/worker?scope=cluster', { level: 'WARN' })).status).toBe(204)
  await until(
    () => call('GET', '/admin/loggers/worker'),
    () => true,
  )
})

test('metrics have the names of the usual exporter rules', async () => {
  const { app, herder, call } = await start()
  await create(call)
  await untilRunning(herder)
  const response = await app.inject({ method: 'GET', url: '/metrics' })
  expect(response.headers['content-type']).toContain('text/plain')
  expect(response.body).toContain('kafka_connect_connector_task_status{connector="src",task="0",status="running"} 1')
  expect(response.body).toContain(
    'kafka_connect_source_task_metrics_source_record_write_total{connector="src",task="0"} 12',
  )
  expect(response.body).toContain('kafka_connect_connect_worker_rebalance_metrics_completed_rebalances_total')
  expect(response.body).toContain(
    '# HELP kafka_connect_source_task_metrics_source_record_write_total Records that the log has acknowledged.\n' +
      '# TYPE kafka_connect_source_task_metrics_source_record_write_total counter\n',
  )
})

test('internal requests are refused without a valid signature', async () => {
  const sessionKeys = {
    keyAlgorithm: 'HmacSHA256',
    keySizeBits: null,
    ttlMs: 3_600_000,
    signatureAlgorithm: 'HmacSHA256',
    verificationAlgorithms: ['HmacSHA256'],
  }
  const { app, call } = await start({ herderOptions: { sessionKeys } })
  await create(call)
  const unsigned = await call('POST', '/connectors/src/tasks', [])
  expect([unsigned.status, unsigned.json.message]).toEqual([400, 'Internal request missing required signature'])
  const forged = await app.inject({
    method: 'POST',
    url: '/connectors/src/tasks',
    payload: '[]',
    headers: {
      'x-connect-authorization': Buffer.alloc(32).toString('base64'),
      'x-connect-request-signature-algorithm': 'HmacSHA256',
    },
  })
  expect(forged.statusCode).toBe(403)
})

test('cross-origin requests are allowed as configured', async () => {
  const { app } = await start({ cors: { allowOrigin: 'http://ui', allowMethods: 'GET,PUT' } })
  const allowed = await app.inject({ method: 'GET', url: '/connectors', headers: { origin: 'http://ui' } })
  expect(allowed.headers['access-control-allow-origin']).toBe('http://ui')
  const refused = await app.inject({ method: 'GET', url: '/connectors', headers: { origin: 'http://evil' } })
  expect(refused.headers['access-control-allow-origin']).toBeUndefined()
  const preflight = await app.inject({ method: 'OPTIONS', url: '/connectors', headers: { origin: 'http://ui' } })
  expect(preflight.headers['access-control-allow-methods']).toBe('GET,PUT')
})

test('configured response headers are on every answer', async () => {
  const rules = parseHeaderRules('set X-Frame-Options:DENY, "add Cache-Control: no-cache, no-store"')
  const { app } = await start({ responseHeaders: rules })
  const { headers } = await app.inject({ method: 'GET', url: '/nowhere' })
  expect([headers['x-frame-options'], headers['cache-control']]).toEqual(['DENY', 'no-cache, no-store'])
  expect(() => parseHeaderRules('put X:1')).toThrow('response.http.headers.config')
})

test('a request for another worker goes there once, and its answer comes back as it is', async () => {
  const requests: HttpRequest[] = []
  const http: HttpClient = (request) => {
    requests.push(request)
    return Promise.resolve({ status: 409, headers: {}, body: Buffer.from('{"error_code":409,"message":"m"}') })
  }
  let assign: (leaderUrl: string) => void = () => {}
  const { call, app } = await start({
    http,
    herderOptions: {
      membership: {
        start: (hooks) => {
          assign = (leaderUrl) =>
            hooks.onAssignment({
              generation: 1,
              isLeader: false,
              leaderUrl,
              configOffset: -1,
              failed: false,
              eager: false,
              assigned: { connectors: new Set(), tasks: new Set() },
              revoked: { connectors: new Set(), tasks: new Set() },
              delayMs: 0,
            })
          return Promise.resolve()
        },
        requestRejoin: () => {},
        leave: () => Promise.resolve(),
        metrics: () => ({
          protocol: 'sessioned',
          generation: 1,
          completedRebalances: 1,
          rebalancing: false,
          rebalanceMsMax: 0,
          rebalanceMsAverage: 0,
          lastRebalanceAtMs: null,
        }),
      },
    },
  })
  const early = await call('POST', '/connectors', { name: 'x', config })
  expect([early.status, early.json.message]).toEqual([503, 'Worker is still starting up.'])
  expect((await call('GET', '/health')).json.status).toBe('starting')
  assign('')
  const unknown = await call('POST', '/connectors', { name: 'x', config })
  expect([unknown.status, unknown.json.message]).toEqual([
    409,
    'Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.',
  ])
  assign('http://leader:8083/')
  const response = await app.inject({
    method: 'POST',
    url: '/connectors?x=%2F',
    payload: JSON.stringify({ name: 'x', config }),
    headers: { 'content-type': 'application/json', authorization: 'Basic abc' },
  })
  expect([response.statusCode, response.json()]).toEqual([409, { error_code: 409, message: 'm' }])
  expect(requests.map((request) => [request.url, request.headers.authorization])).toEqual([
    ['http://leader:8083/connectors?x=%2F&forward=true', 'Basic abc'],
  ])
  const second = await call('POST', '/connectors?forward=true', { name: 'x', config })
  expect([second.status, requests[1]?.url]).toEqual([409, 'http://leader:8083/connectors?forward=false'])
  const third = await call('POST', '/connectors?forward=false', { name: 'x', config })
  expect([third.status, requests.length, third.json.message]).toEqual([
    409,
    2,
    'Cannot complete request because of a conflicting operation (e.g. worker rebalance)',
  ])
})
