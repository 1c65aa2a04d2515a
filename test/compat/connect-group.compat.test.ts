import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { kafkaMissing } from '../services/kafka.ts'
import { type KafkaConnect, startKafkaConnect } from '../services/kafka-connect.ts'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../services/millrace.ts'
import { placement, rest, settledRest, until } from '../integration/connect/connect-cluster.ts'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const missing = kafkaMissing('4.3.1') !== null
const GROUP = 'mixed'
/** Each test starts two Java workers and stops them, which alone takes minutes on a machine that is busy. */
const PATIENT = { timeout: 900_000 }
let broker: MillraceBroker
const LABELLED = 'mixed-labelled'
let java: KafkaConnect | undefined
let ours: MillraceWorker | undefined
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-mixed-'))
  if (!missing) broker = await startMillraceBroker()
})
afterAll(async () => {
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})

afterEach(async () => {
  await java?.stop()
  await ours?.stop()
  java = undefined
  ours = undefined
})

/** A source that both know by its Java class name. */
async function source(name: string): Promise<Record<string, string>> {
  const file = join(folder, `${name}.txt`)
  await writeFile(file, 'one\ntwo\n')
  return { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector', file, topic: `t-${name}` }
}

const untilAllRun = (url: string, tasks: number, workers: number) =>
  until(
    `${tasks} tasks run on ${workers} workers`,
    () => placement(url),
    (seen) =>
      seen.workers.size === tasks &&
      seen.states.every((state) => state.endsWith(' RUNNING')) &&
      new Set(seen.workers.values()).size === workers,
  )

test.skipIf(missing)(
  'a worker of Kafka Connect and one of Millrace share a group and its topics',
  PATIENT,
  async () => {
    java = await startKafkaConnect({
      bootstrapServers: broker.bootstrapServers,
      group: GROUP,
      properties: { 'scheduled.rebalance.max.delay.ms': '0' },
    })
    for (const name of ['a', 'b']) {
      const made = await settledRest(java.url, 'POST', '/connectors', { name, config: await source(name) })
      expect(made.status).toBe(201)
    }
    await untilAllRun(java.url, 2, 1)

    // Millrace joins: it reads the configuration of the other, follows its lead and takes its share.
    ours = await startMillraceWorker(broker.bootstrapServers, GROUP)
    await untilAllRun(ours.url, 2, 2)
    await untilAllRun(java.url, 2, 2)

    // The follower forwards to the Java leader, and sends it signed task configurations.
    for (const name of ['c', 'd']) {
      const made = await settledRest(ours.url, 'POST', '/connectors', { name, config: await source(name) })
      expect(made.status).toBe(201)
    }
    await untilAllRun(java.url, 4, 2)
    expect((await settledRest(ours.url, 'PUT', '/connectors/a/pause')).status).toBe(202)
    await until(
      'a is paused',
      () => rest(java!.url, 'GET', '/connectors/a/status'),
      ({ body }) => body.tasks[0].state === 'PAUSED',
    )
    await settledRest(java.url, 'PUT', '/connectors/a/resume')
    await untilAllRun(ours.url, 4, 2)

    // The Java worker goes: Millrace leads and has everything.
    await java.stop()
    java = undefined
    await untilAllRun(ours.url, 4, 1)

    // And the way back: a Java worker joins under Millrace's lead.
    java = await startKafkaConnect({ bootstrapServers: broker.bootstrapServers, group: GROUP })
    await untilAllRun(java.url, 4, 2)
    const made = await settledRest(java.url, 'POST', '/connectors', { name: 'e', config: await source('e') })
    expect(made.status).toBe(201)
    await untilAllRun(ours.url, 5, 2)
    expect((await settledRest(java.url, 'DELETE', '/connectors/b')).status).toBe(204)
    await untilAllRun(ours.url, 4, 2)
  },
)

interface Seen {
  readonly key: string
  readonly state: string
  readonly worker_id: string
  readonly trace?: string
}

/** All connectors and tasks. */
async function everything(url: string): Promise<readonly Seen[]> {
  const { body } = await rest(url, 'GET', '/connectors?expand=status')
  return Object.values<any>(body).flatMap(({ status }) =>
    [status?.connector, ...(status?.tasks ?? [])].map((seen) => ({ key: status?.name, ...seen })),
  )
}

test.skipIf(missing)(
  'labels change nothing for workers of Kafka Connect, and bind those of Millrace under any leader',
  PATIENT,
  async () => {
    const compatible = { 'scheduled.rebalance.max.delay.ms': '0' }
    java = await startKafkaConnect({
      bootstrapServers: broker.bootstrapServers,
      group: LABELLED,
      properties: compatible,
    })
    ours = await startMillraceWorker(broker.bootstrapServers, LABELLED, { 'worker.labels': 'role=edge' })
    const { workerId } = ours
    const pinned = ['p', 'q', 'r', 's']
    for (const name of pinned) {
      const config = { ...(await source(name)), 'required.worker.labels': 'role=core' }
      const made = await settledRest(ours.url, 'POST', '/connectors', { name, config })
      expect(made.status, JSON.stringify(made.body)).toBe(201)
    }
    // The Java leader deals to everybody: its own worker runs what it gets, Millrace's does not and says so.
    await until(
      'half of the connectors run and half wait',
      () => everything(ours!.url),
      (seen) => {
        const mine = seen.filter(({ worker_id }) => worker_id === workerId)
        const isBarred = ({ state, trace }: Seen) =>
          state === 'UNASSIGNED' && trace?.includes('lacks the labels role=core')
        const theirs = seen.filter(({ worker_id }) => worker_id !== workerId)
        return mine.length >= 2 && mine.every(isBarred) && theirs.every(({ state }) => state === 'RUNNING')
      },
    )

    await java.stop()
    java = undefined
    await until(
      'all of it waits under the lead of Millrace',
      () => everything(ours!.url),
      (seen) =>
        seen.length > pinned.length &&
        seen.every(({ state, trace }) => state === 'UNASSIGNED' && trace?.startsWith('Waits for a worker') === true),
    )

    java = await startKafkaConnect({
      bootstrapServers: broker.bootstrapServers,
      group: LABELLED,
      properties: compatible,
    })
    for (const name of pinned) {
      const changed = await settledRest(java.url, 'PATCH', `/connectors/${name}/config`, {
        'required.worker.labels': 'role=edge',
      })
      expect(changed.status, JSON.stringify(changed.body)).toBe(200)
    }
    for (const name of ['free1', 'free2']) {
      await settledRest(java.url, 'POST', '/connectors', { name, config: await source(name) })
    }
    await until(
      'what is pinned runs on the labelled worker, and the rest on the other',
      () => everything(java!.url),
      (seen) =>
        seen.length === 12 &&
        seen.every(
          ({ key, state, worker_id }) => state === 'RUNNING' && pinned.includes(key) === (worker_id === workerId),
        ),
    )
  },
)
