// The same requests to a worker of Kafka Connect 4.3.1 and to one of Millrace, each with a group of its own on the same
// broker: status codes, bodies and messages agree but for the differences listed here.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, rest, until } from '../integration/connect/connect-cluster.ts'
import { kafkaMissing } from '../services/kafka.ts'
import { type KafkaConnect, startKafkaConnect } from '../services/kafka-connect.ts'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../services/millrace.ts'

interface Call {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  /** Where we answer differently, on purpose: what Kafka answers, what we answer, and why. */
  readonly intended?: { readonly theirs: number; readonly ours: number; readonly why: string }
}

/** Kafka sends the errors of its HTTP server as JSON without saying so. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const FILE_SOURCE = 'org.apache.kafka.connect.file.FileStreamSourceConnector'
const FILE_SINK = 'org.apache.kafka.connect.file.FileStreamSinkConnector'
const missing = kafkaMissing()

describe('REST beside Kafka Connect 4.3.1', () => {
  const it = test.skipIf(missing !== null)
  let folder: string
  let broker: MillraceBroker
  let theirs: KafkaConnect
  let ours: MillraceWorker

  beforeAll(async () => {
    if (missing !== null) return
    folder = await mkdtemp(join(tmpdir(), 'millrace-rest-'))
    await writeFile(join(folder, 'in.txt'), 'one\ntwo\n')
    broker = await startMillraceBroker()
    ;[theirs, ours] = await Promise.all([
      startKafkaConnect({ bootstrapServers: broker.bootstrapServers, group: 'theirs' }),
      startMillraceWorker(broker.bootstrapServers, 'ours'),
    ])
  })

  afterAll(async () => {
    await Promise.all([theirs?.stop(), ours?.stop()])
    await broker?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  /** Both answers without what differs from worker to worker. */
  async function both({ method, path, body }: Call) {
    const ask = (url: string) => rest(url, method, path, body)
    const [kafka, millrace] = await Promise.all([ask(theirs.url), ask(ours.url)])
    const plain = (text: string) =>
      text
        .replaceAll(theirs.url, 'http://worker')
        .replaceAll(ours.url, 'http://worker')
        .replaceAll(new URL(theirs.url).host, 'worker')
        .replaceAll(new URL(ours.url).host, 'worker')
    const comparable = ({ status, headers, body: found }: Answer) => ({
      status,
      location: plain(headers.get('location') ?? ''),
      body: parsed(plain(typeof found === 'string' ? found : JSON.stringify(found))),
    })
    return { kafka: comparable(kafka), millrace: comparable(millrace) }
  }

  /** Compares all, so that one run shows every difference. */
  async function same(calls: readonly Call[]): Promise<void> {
    const expected: unknown[] = []
    const actual: unknown[] = []
    for (const call of calls) {
      const { kafka, millrace } = await both(call)
      const { method, path, intended } = call
      const what = `${method} ${path} ${JSON.stringify(call.body ?? '')}`
      if (intended) {
        expected.push({ what, why: intended.why, kafka: intended.theirs, millrace: intended.ours })
        actual.push({ what, why: intended.why, kafka: kafka.status, millrace: millrace.status })
      } else {
        expected.push({ what, ...kafka })
        actual.push({ what, ...millrace })
      }
    }
    expect(actual).toEqual(expected)
  }

  const running = (name: string) =>
    Promise.all(
      [theirs.url, ours.url].map((url) =>
        until(
          `${name} runs`,
          () => rest(url, 'GET', `/connectors/${name}/status`),
          ({ body }) => body.connector?.state === 'RUNNING' && body.tasks?.[0]?.state === 'RUNNING',
        ),
      ),
    )
  const inState = (name: string, state: string, tasks: number) =>
    Promise.all(
      [theirs.url, ours.url].map((url) =>
        until(
          `${name} is ${state}`,
          () => rest(url, 'GET', `/connectors/${name}/status`),
          ({ body }) => body.connector?.state === state && body.tasks?.length === tasks,
        ),
      ),
    )
  const source = (more: Record<string, string | null> = {}) => ({
    'connector.class': FILE_SOURCE,
    'tasks.max': '1',
    topic: 'rest-lines',
    file: join(folder, 'in.txt'),
    ...more,
  })
  const unparsed = 'Kafka answers 500 where the request is at fault'

  it('what is wrong is refused in the same words', async () => {
    await same([
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
      {
        method: 'GET',
        path: '/admin/loggers/org.example.Unheard',
        intended: { theirs: 404, ours: 200, why: 'a logger that has written nothing yet has its effective level, too' },
      },
      { method: 'PUT', path: '/admin/loggers/root', body: {} },
      { method: 'PUT', path: '/admin/loggers/root', body: { level: 'LOUD' } },
      { method: 'POST', path: '/connectors', body: { name: 'a', config: { name: 'b', ...source() } } },
      { method: 'POST', path: '/connectors', body: { name: 'a', config: {} } },
      { method: 'POST', path: '/connectors', body: '{', intended: { theirs: 500, ours: 400, why: unparsed } },
      { method: 'POST', path: '/connectors', body: { name: 'a' }, intended: { theirs: 500, ours: 400, why: unparsed } },
      { method: 'POST', path: '/connectors', body: { name: 'a', config: source({ 'tasks.max': '0' }) } },
      {
        method: 'POST',
        path: '/connectors',
        body: { name: 'a', config: { 'connector.class': FILE_SINK, topics: 'x', 'topics.regex': 'y' } },
      },
      { method: 'POST', path: '/connectors', body: { name: 'a', config: { 'connector.class': FILE_SINK } } },
    ])
  })

  it('the life of a connector has the same answers', async () => {
    await same([{ method: 'POST', path: '/connectors', body: { name: 'lines', config: source() } }])
    await running('lines')
    await same([
      { method: 'POST', path: '/connectors', body: { name: 'lines', config: source() } },
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
      { method: 'PUT', path: '/connectors/lines/config', body: source() },
      {
        method: 'PUT',
        path: '/connectors/lines/config',
        body: source({ 'tasks.max': 'many' }),
        intended: { theirs: 400, ours: 400, why: 'Kafka adds that the unreadable number is null' },
      },
      { method: 'PUT', path: '/connectors/lines/pause' },
    ])
    await inState('lines', 'PAUSED', 1)
    await same([{ method: 'PUT', path: '/connectors/lines/resume' }])
    await running('lines')
    await same([{ method: 'PUT', path: '/connectors/lines/stop' }])
    await inState('lines', 'STOPPED', 0)
    await same([
      { method: 'GET', path: '/connectors/lines/tasks' },
      { method: 'PUT', path: '/connectors/lines/topics/reset' },
      { method: 'DELETE', path: '/connectors/lines' },
    ])
    await same([
      {
        method: 'POST',
        path: '/connectors',
        body: { name: 'asleep', config: source(), initial_state: 'STOPPED' },
      },
    ])
    await inState('asleep', 'STOPPED', 0)
  })

  it('validation counts the same errors', async () => {
    for (const body of [source(), source({ topic: null }), source({ 'tasks.max': '0', transforms: 'a,a' })]) {
      const config = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
      const path = '/connector-plugins/FileStreamSource/config/validate'
      const { kafka, millrace } = await both({ method: 'PUT', path, body: { name: 'v', ...config } })
      const errors = ({ body: infos }: typeof kafka) => {
        const { name, error_count, configs } = infos as { name: string; error_count: number; configs: any[] }
        const wrong = configs.filter(({ value }) => value.errors.length > 0)
        return { name, error_count, wrong: wrong.map(({ value }) => [value.name, value.errors]) }
      }
      expect({ status: millrace.status, ...errors(millrace) }).toEqual({ status: kafka.status, ...errors(kafka) })
    }
  })
})
