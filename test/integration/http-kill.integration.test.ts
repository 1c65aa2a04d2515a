import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client } from '../../src/client/index.ts'
import { type HttpApi, startHttpApi } from '../services/http-api.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { clientOf } from './client/clusters.ts'
import { patient } from './support/kills.ts'
import { endOf } from './support/topic-values.ts'
import { lagOf } from './support/topics.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

const ITEMS = 3000
const KILLS = 2

describe('list to topic to another server on a real worker', () => {
  let broker: MillraceBroker
  let api: HttpApi
  let worker: TestWorker
  let client: Client

  beforeAll(async () => {
    ;[broker, api] = await Promise.all([startMillraceBroker(), startHttpApi({ seed: 11, faultRate: 0.05 })])
    client = clientOf(broker)
    worker = await startTestWorker(broker.bootstrapServers, { 'offset.flush.interval.ms': '200' })
  })
  afterAll(async () => {
    await worker?.stop()
    await broker?.stop()
    await api?.stop()
  })

  const received = async () =>
    (await api.received()).flatMap(({ body }) => body.split('\n').filter((line) => line !== ''))

  test('every item arrives, though task hosts and the server are killed, twice', async () => {
    await api.resize(ITEMS / 3)
    await worker.create({
      name: 'items-source',
      'connector.class': 'com.github.castorm.kafka.connect.http.HttpSourceConnector',
      'http.request.url': `${api.url}/items`,
      'http.request.params': 'since=${offset.timestamp}&limit=10',
      'http.offset.initial': 'timestamp=2023-01-01T00:00:00Z',
      'http.response.list.pointer': '/items',
      'http.response.record.offset.pointer': 'key=/id, timestamp=/at',
      'http.response.record.mapper': 'StringKvSourceRecordMapper',
      'http.pagination.mode': 'link',
      'http.timer.interval.millis': '50',
      'http.timer.catchup.interval.millis': '50',
      'http.client.read.timeout.millis': '60000',
      'http.retry.max': '1000',
      'http.retry.backoff.ms': '20',
      // The list cannot be read to its end before the kills.
      'http.rate.limit.requests.per.second': '60',
      'kafka.topic': 'items',
      ...patient,
    })
    await worker.create({
      name: 'items-sink',
      'connector.class': 'io.aiven.kafka.connect.http.HttpSinkConnector',
      topics: 'items',
      'http.url': `${api.url}/copy`,
      'batching.enabled': 'true',
      'batch.max.size': '20',
      'kafka.retry.backoff.ms': '200',
      'retry.backoff.ms': '20',
      'reporter.result.topic.name': '${connector}-answers',
      'consumer.override.auto.offset.reset': 'earliest',
      ...patient,
    })
    for (let killed = 0; killed < KILLS; killed++) {
      const before = (await received()).length
      await until('records arrive', async () => (await received()).length > before + 100)
      worker.killHosts()
      await api.kill()
      await api.restart()
      // What is new since the kill can only be found by tasks that go on.
      await api.resize((ITEMS / 3) * (killed + 2))
    }
    await until('every item has arrived', async () => new Set(await received()).size >= ITEMS)
    await until('the sink has committed everything', async () => (await lagOf(client, 'items-sink', 'items')) === 0)
    const ids = (await received()).map((line) => (JSON.parse(line) as { id: string }).id)
    expect(new Set(ids)).toEqual(new Set(Array.from({ length: ITEMS }, (_, n) => `k${n}`)))
    // The sink keeps an answer for each record; an answer is durable before the offset is committed.
    expect(await endOf(client, 'items-sink-answers')).toBeGreaterThanOrEqual(ITEMS)
  })
})
