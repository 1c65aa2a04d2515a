import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaMissing } from '../services/kafka.ts'
import { type KafkaConnect, startKafkaConnect } from '../services/kafka-connect.ts'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../services/millrace.ts'
import { placement, rest, until } from '../integration/connect/connect-cluster.ts'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const missing = kafkaMissing('4.3.1') !== null
const GROUP = 'mixed'
let broker: MillraceBroker
let java: KafkaConnect | undefined
let ours: MillraceWorker | undefined
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-mixed-'))
  if (!missing) broker = await startMillraceBroker()
})
afterAll(async () => {
  await java?.stop()
  await ours?.stop()
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
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

test.skipIf(missing)('a worker of Kafka Connect and one of Millrace share a group and its topics', async () => {
  java = await startKafkaConnect({
    bootstrapServers: broker.bootstrapServers,
    group: GROUP,
    properties: { 'scheduled.rebalance.max.delay.ms': '0' },
  })
  for (const name of ['a', 'b']) {
    const made = await rest(java.url, 'POST', '/connectors', { name, config: await source(name) })
    expect(made.status).toBe(201)
  }
  await untilAllRun(java.url, 2, 1)

  // Millrace joins: it reads the configuration of the other, follows its lead and takes its share.
  ours = await startMillraceWorker(broker.bootstrapServers, GROUP)
  await untilAllRun(ours.url, 2, 2)
  await untilAllRun(java.url, 2, 2)

  // The follower forwards to the Java leader, and sends it signed task configurations.
  for (const name of ['c', 'd']) {
    const made = await rest(ours.url, 'POST', '/connectors', { name, config: await source(name) })
    expect(made.status).toBe(201)
  }
  await untilAllRun(java.url, 4, 2)
  expect((await rest(ours.url, 'PUT', '/connectors/a/pause')).status).toBe(202)
  await until(
    'a is paused',
    () => rest(java!.url, 'GET', '/connectors/a/status'),
    ({ body }) => body.tasks[0].state === 'PAUSED',
  )
  await rest(java.url, 'PUT', '/connectors/a/resume')
  await untilAllRun(ours.url, 4, 2)

  // The Java worker goes: Millrace leads and has everything.
  await java.stop()
  java = undefined
  await untilAllRun(ours.url, 4, 1)

  // And the way back: a Java worker joins under Millrace's lead.
  java = await startKafkaConnect({ bootstrapServers: broker.bootstrapServers, group: GROUP })
  await untilAllRun(java.url, 4, 2)
  const made = await rest(java.url, 'POST', '/connectors', { name: 'e', config: await source('e') })
  expect(made.status).toBe(201)
  await untilAllRun(ours.url, 5, 2)
  expect((await rest(java.url, 'DELETE', '/connectors/b')).status).toBe(204)
  await untilAllRun(ours.url, 4, 2)
})
