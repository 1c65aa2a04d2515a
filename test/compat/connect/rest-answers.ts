// What REST answers to what is wrong, during the life of a connector, and to validations.
import { join } from 'node:path'
import { expect } from 'vitest'
import { answers, FILE_SINK, FILE_SOURCE, isIn, type Pair, same, untilBoth } from './pair.ts'

const unparsed = 'Kafka answers 500 where the request is at fault'

const fileSource = ({ folder }: Pair, more: Record<string, string | null> = {}) => ({
  'connector.class': FILE_SOURCE,
  'tasks.max': '1',
  topic: 'rest-lines',
  file: join(folder, 'in.txt'),
  ...more,
})

export async function refusals(pair: Pair): Promise<void> {
  await same(pair, [
    { method: 'GET', path: '/nowhere' },
    { method: 'DELETE', path: '/connectors' },
    { method: 'GET', path: '/connectors/nope' },
    { method: 'GET', path: '/connectors/nope/config' },
    { method: 'GET', path: '/connectors/nope/status' },
    { method: 'GET', path: '/connectors/nope/tasks' },
    { method: 'GET', path: '/connectors/nope/tasks/0/status' },
    { method: 'GET', path: '/connectors/nope/tasks/x/status' },
    { method: 'GET', path: '/connectors/nope/topics' },
    { method: 'DELETE', path: '/connectors/nope' },
    { method: 'PUT', path: '/connectors/nope/pause' },
    { method: 'PUT', path: '/connectors/nope/resume' },
    { method: 'PUT', path: '/connectors/nope/stop' },
    { method: 'POST', path: '/connectors/nope/restart' },
    { method: 'POST', path: '/connectors/nope/restart?includeTasks=true' },
    { method: 'POST', path: '/connectors/nope/tasks/0/restart' },
    { method: 'PATCH', path: '/connectors/nope/config', body: { a: 'b' } },
    { method: 'POST', path: '/connectors/nope/tasks', body: [] },
    { method: 'PUT', path: '/connectors/nope/fence' },
    { method: 'GET', path: '/connector-plugins/Nope/config' },
    { method: 'GET', path: '/admin/loggers/org.example.Unheard' },
    {
      method: 'PUT',
      path: '/admin/loggers/org.example.Unheard',
      body: { level: 'DEBUG' },
      intended: { theirs: 200, ours: 404, why: 'nothing is written to it, so nothing would change' },
    },
    { method: 'PUT', path: '/admin/loggers/root', body: {} },
    { method: 'PUT', path: '/admin/loggers/root', body: { level: 'LOUD' } },
    { method: 'POST', path: '/connectors', body: { name: 'a', config: { name: 'b', ...fileSource(pair) } } },
    { method: 'POST', path: '/connectors', body: { name: 'a', config: {} } },
    { method: 'POST', path: '/connectors', body: '{', intended: { theirs: 500, ours: 400, why: unparsed } },
    { method: 'POST', path: '/connectors', body: { name: 'a' }, intended: { theirs: 500, ours: 400, why: unparsed } },
    { method: 'POST', path: '/connectors', body: { name: 'a', config: fileSource(pair, { 'tasks.max': '0' }) } },
    {
      method: 'POST',
      path: '/connectors',
      body: { name: 'a', config: { 'connector.class': FILE_SINK, topics: 'x', 'topics.regex': 'y' } },
    },
    { method: 'POST', path: '/connectors', body: { name: 'a', config: { 'connector.class': FILE_SINK } } },
  ])
}

export async function lifeOfAConnector(pair: Pair): Promise<void> {
  await same(pair, [{ method: 'POST', path: '/connectors', body: { name: 'lines', config: fileSource(pair) } }])
  await untilBoth(pair, 'lines', 'runs', (status) => isIn(status, 'RUNNING', 1))
  await same(pair, [
    { method: 'POST', path: '/connectors', body: { name: 'lines', config: fileSource(pair) } },
    { method: 'GET', path: '/connectors' },
    { method: 'GET', path: '/connectors?expand=zzz' },
    { method: 'GET', path: '/connectors?expand=info' },
    { method: 'GET', path: '/connectors/lines' },
    { method: 'GET', path: '/connectors/lines/config' },
    { method: 'GET', path: '/connectors/lines/tasks/7/status' },
    { method: 'POST', path: '/connectors/lines/tasks/9/restart' },
    { method: 'POST', path: '/connectors/lines/restart' },
    { method: 'PATCH', path: '/connectors/lines/config', body: { 'batch.size': '100' } },
    { method: 'PATCH', path: '/connectors/lines/config', body: { 'batch.size': null } },
    { method: 'PUT', path: '/connectors/lines/config', body: fileSource(pair) },
    {
      method: 'PUT',
      path: '/connectors/lines/config',
      body: fileSource(pair, { 'tasks.max': 'many' }),
      intended: { theirs: 400, ours: 400, why: 'Kafka adds that the unreadable number is null' },
    },
    { method: 'PUT', path: '/connectors/lines/pause' },
  ])
  await untilBoth(pair, 'lines', 'is PAUSED', (status) => isIn(status, 'PAUSED', 1))
  await same(pair, [{ method: 'PUT', path: '/connectors/lines/resume' }])
  await untilBoth(pair, 'lines', 'runs', (status) => isIn(status, 'RUNNING', 1))
  await same(pair, [{ method: 'PUT', path: '/connectors/lines/stop' }])
  await untilBoth(pair, 'lines', 'is STOPPED', (status) => isIn(status, 'STOPPED', 0))
  await same(pair, [
    { method: 'GET', path: '/connectors/lines/tasks' },
    { method: 'PUT', path: '/connectors/lines/topics/reset' },
    { method: 'DELETE', path: '/connectors/lines' },
  ])
  await same(pair, [
    {
      method: 'POST',
      path: '/connectors',
      body: { name: 'asleep', config: fileSource(pair), initial_state: 'STOPPED' },
    },
  ])
  await untilBoth(pair, 'asleep', 'is STOPPED', (status) => isIn(status, 'STOPPED', 0))
}

export async function validations(pair: Pair): Promise<void> {
  for (const body of [
    fileSource(pair),
    fileSource(pair, { topic: null }),
    fileSource(pair, { 'tasks.max': '0', transforms: 'a,a' }),
  ]) {
    const config = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
    const path = '/connector-plugins/FileStreamSource/config/validate'
    const { kafka, millrace } = await answers(pair, { method: 'PUT', path, body: { name: 'v', ...config } })
    const errors = ({ body: infos }: typeof kafka) => {
      const { name, error_count, configs } = infos as { name: string; error_count: number; configs: any[] }
      const wrong = configs.filter(({ value }) => value.errors.length > 0)
      return { name, error_count, wrong: wrong.map(({ value }) => [value.name, value.errors]) }
    }
    expect({ status: millrace.status, ...errors(millrace) }).toEqual({ status: kafka.status, ...errors(kafka) })
  }
}
