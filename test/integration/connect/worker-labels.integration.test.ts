/** A syslog source that is pinned by a label, in a group whose labelled workers are killed. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../services/free-port.ts'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../../services/millrace.ts'
import { topicValues } from '../support/topic-values.ts'
import { datagen, placement, rest, until } from './connect-cluster.ts'

let broker: MillraceBroker
let plain: MillraceWorker
let zoned: MillraceWorker
let edges: MillraceWorker[] = []

beforeAll(async () => {
  broker = await startMillraceBroker()
  const start = (labels: Readonly<Record<string, string>>) =>
    // Survivors must not lose their session to a machine that is busy with something else.
    startMillraceWorker(broker.bootstrapServers, 'labelled', { 'session.timeout.ms': '20000', ...labels })
  ;[plain, zoned, ...edges] = await Promise.all([
    start({}),
    start({ 'worker.labels': 'zone=b' }),
    start({ 'worker.labels': 'role=edge, zone=a' }),
    start({ 'worker.labels': 'zone=a, role=edge' }),
  ])
})
afterAll(async () => {
  await Promise.all([plain, zoned, ...edges].map((worker) => worker?.stop()))
  await broker?.stop()
})

interface Seen {
  readonly state: string
  readonly worker_id: string
  readonly trace?: string
}

/** The connector and its task, as far as there are any. */
async function statusOf(name: string): Promise<readonly Seen[]> {
  const { body } = await rest(plain.url, 'GET', `/connectors/${name}/status`)
  return body.connector === undefined ? [] : [body.connector, ...body.tasks]
}

const untilOn = (allowed: readonly MillraceWorker[]) =>
  until(
    `the source runs on ${allowed.map(({ workerId }) => workerId).join(' or ')}`,
    () => statusOf('logs'),
    (seen) =>
      seen.length === 2 &&
      seen.every(
        ({ state, worker_id }) => state === 'RUNNING' && allowed.some(({ workerId }) => workerId === worker_id),
      ),
  )

/** Sends a message until it is in the log: what a task has taken, and is stopped with, is lost by nature. */
async function send(port: number, text: string): Promise<void> {
  const attempt = async (): Promise<readonly string[]> => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.end(`<13>${text}\n`)
    await once(socket, 'close')
    return topicValues(broker, 'logs')
  }
  await until(
    `${text} is in the log`,
    () => attempt().catch(() => []),
    (values) => values.some((value) => value.includes(text)),
  )
}

test('a pinned source runs on labelled workers only, moves when one is killed, and waits when none is left', async () => {
  expect((await rest(edges[0]!.url, 'GET', '/')).body.worker_labels).toEqual(['role=edge', 'zone=a'])
  expect((await rest(plain.url, 'GET', '/')).body).not.toHaveProperty('worker_labels')
  const port = await freePort()
  const config = {
    'connector.class': 'io.confluent.connect.syslog.SyslogSourceConnector',
    'syslog.port': String(port),
    'syslog.listener': 'TCP',
    'syslog.listen.address': '127.0.0.1',
    topic: 'logs',
    'required.worker.labels': 'zone=a, role=edge',
  }
  const bad = await rest(plain.url, 'PUT', '/connectors/logs/config', { ...config, 'required.worker.labels': 'edge' })
  expect([bad.status, bad.body.message]).toEqual([400, expect.stringContaining('"edge" is no label; write name=value')])
  const made = await rest(plain.url, 'POST', '/connectors', { name: 'logs', config })
  expect(made.status).toBe(201)
  const [first] = await untilOn(edges)
  await send(port, 'before the first kill')

  // What requires nothing fills the workers evenly, the pinned task counted.
  await rest(plain.url, 'POST', '/connectors', { name: 'free', config: datagen('free', 7) })
  await until(
    'all workers have two tasks',
    () => placement(plain.url),
    ({ states, workers }) =>
      states.every((state) => state.endsWith(' RUNNING')) &&
      [...Map.groupBy(workers.values(), (id) => id).values()].map((ids) => ids.length).join() === '2,2,2,2',
  )

  const [killed, other] = edges[0]!.workerId === first?.worker_id ? edges : edges.toReversed()
  await killed!.kill()
  await untilOn([other!])
  await send(port, 'after the first kill')

  await other!.kill()
  const waiting = await until(
    'connector and task wait',
    () => statusOf('logs'),
    (seen) => seen.length === 2 && seen.every(({ state, trace }) => state === 'UNASSIGNED' && trace !== undefined),
  )
  for (const { trace } of waiting) {
    expect(trace).toContain(
      'labels role=edge,zone=a (required.worker.labels): no worker of the group has role=edge or zone=a',
    )
  }

  await killed!.restart()
  await untilOn([killed!])
  await send(port, 'when a labelled worker is there again')

  // Other labels move it, and without any it may run everywhere.
  await rest(plain.url, 'PATCH', '/connectors/logs/config', { 'required.worker.labels': 'zone=b' })
  await untilOn([zoned])
  await send(port, 'in the other zone')
  await rest(plain.url, 'PATCH', '/connectors/logs/config', { 'required.worker.labels': null })
  await zoned.kill()
  await untilOn([plain, killed!])
  await send(port, 'anywhere')
})
