import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../../services/millrace.ts'
import { rest, until, untilRunning } from './connect-cluster.ts'

const KAFKA = 'org.apache.kafka.common.config.provider.'
let broker: MillraceBroker
let worker: MillraceWorker
let folder: string
/** What must be seen nowhere. */
let secret: string

beforeAll(async () => {
  broker = await startMillraceBroker()
  folder = await mkdtemp(join(tmpdir(), 'millrace-providers-'))
  secret = `hush-${process.pid}`
  await mkdir(join(folder, secret))
  await writeFile(join(folder, 'worker.secrets'), 'flush=100\n')
  await writeFile(
    join(folder, 'p.properties'),
    `in=${folder}/${secret}/in.txt\nout=${folder}/${secret}/out.txt\nlost=${folder}/${secret}/lost.txt\nbad=${secret}\n`,
  )
  await writeFile(join(folder, secret, 'in.txt'), 'one\ntwo\n')
  worker = await startMillraceWorker(broker.bootstrapServers, 'providers', {
    'config.providers': 'file',
    'config.providers.file.class': `${KAFKA}FileConfigProvider`,
    'config.providers.file.param.allowed.paths': folder,
    'offset.flush.interval.ms': `\${file:${folder}/worker.secrets:flush}`,
  })
})
afterAll(async () => {
  await worker.stop()
  await broker.stop()
  await rm(folder, { recursive: true, force: true })
})

const variable = (key: string) => `\${file:${folder}/p.properties:${key}}`
const source = (file: string) => ({ 'connector.class': 'FileStreamSource', topic: 'lines', file })
const sink = (file: string) => ({ 'connector.class': 'FileStreamSink', topics: 'lines', file })
const create = (name: string, config: Record<string, string>) =>
  rest(worker.url, 'POST', '/connectors', { name, config })

test('a connector runs with the values of its variables, and REST shows the variables', async () => {
  const created = await create('from', source(variable('in')))
  expect([created.status, created.body.config.file]).toEqual([201, variable('in')])
  expect((await create('to', sink(variable('out')))).status).toBe(201)
  await untilRunning(worker.url, 2)
  const read = () => readFile(join(folder, secret, 'out.txt'), 'utf8').catch(() => '')
  await until('the lines arrive', read, (text) => text === 'one\ntwo\n')

  const answers = await Promise.all([
    rest(worker.url, 'GET', '/connectors/from/config'),
    rest(worker.url, 'GET', '/connectors/from/tasks'),
    rest(worker.url, 'GET', '/connectors?expand=info&expand=status'),
  ])
  expect(answers[0].body.file).toBe(variable('in'))
  expect(answers[1].body[0].config.file).toBe(variable('in'))
  expect(JSON.stringify([created.body, ...answers.map(({ body }) => body as unknown)])).not.toContain(secret)
})

test('validation looks at the values and shows the variables', async () => {
  const config = { ...source(variable('in')), 'tasks.max': variable('bad') }
  const { status, body } = await rest(worker.url, 'PUT', '/connector-plugins/FileStreamSource/config/validate', {
    name: 'v',
    ...config,
  })
  expect([status, body.error_count]).toEqual([200, 1])
  const tasksMax = body.configs.find(({ value }: any) => value.name === 'tasks.max').value
  expect(tasksMax.value).toBe(variable('bad'))
  expect(tasksMax.errors).toEqual([expect.stringContaining(variable('bad'))])
  expect(JSON.stringify(body)).not.toContain(secret)
})

test('a variable that cannot be resolved is a 400 that names it', async () => {
  const { status, body } = await create('none', source(variable('nope')))
  expect([status, body.message]).toEqual([400, expect.stringContaining(`Cannot resolve ${variable('nope')}`)])
  expect((await rest(worker.url, 'GET', '/connectors/none')).status).toBe(404)
  const outside = await create('none', source('${file:/etc/hosts:localhost}'))
  expect([outside.status, outside.body.message]).toEqual([400, expect.stringContaining('allowed.paths')])
})

test('the trace of a failure does not show the value', async () => {
  const config = { ...sink(variable('lost')), 'restart.policy': 'never' }
  const created = await rest(worker.url, 'POST', '/connectors', { name: 'lost', config, initial_state: 'STOPPED' })
  expect([created.status, created.body.message]).toEqual([201, undefined])
  // Validation would have seen that this cannot be written to.
  await mkdir(join(folder, secret, 'lost.txt'))
  await rest(worker.url, 'PUT', '/connectors/lost/resume')
  const status = () => rest(worker.url, 'GET', '/connectors/lost/status')
  const failed = await until('the task fails', status, ({ body }) => body.tasks?.[0]?.state === 'FAILED')
  expect(failed.body.tasks[0].trace).toContain('EISDIR')
  expect(failed.body.tasks[0].trace).toContain('[hidden]')
  expect(JSON.stringify(failed.body)).not.toContain(secret)
})
