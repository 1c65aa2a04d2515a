import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../src/base/real/index.ts'
import { type Client, createClient } from '../../src/client/index.ts'
import { isAlive } from '../services/alive.ts'
import { type HttpApi, startHttpApi } from '../services/http-api.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
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
    const environment = { clock: realClock, net: realNet, random: realRandom, logger: silentLogger }
    client = createClient({ bootstrapServers: broker.bootstrapServers, ...environment })
    worker = await startTestWorker(broker.bootstrapServers, { 'offset.flush.interval.ms': '200' })
  })
  afterAll(async () => {
    await worker?.stop()
    await broker?.stop()
    await api?.stop()
  })

  const received = async () =>
    (await api.received()).flatMap(({ body }) => body.split('\n').filter((line) => line !== ''))

  /** Records that the sink has not committed. */
  async function lag(): Promise<number> {
    const consumer = client.consumer()
    const admin = client.admin()
    try {
      const [end = 0] = await consumer.endOffsets([{ topic: 'items', partition: 0 }])
      const committed = await admin.groups.offsets('connect-items-sink')
      return end - (committed.find(({ topic }) => topic === 'items')?.offset ?? 0)
    } finally {
      await consumer.close()
      await admin.close()
    }
  }

  test('every item arrives, though task hosts and the server are killed, twice', async () => {
    await api.resize(ITEMS / 3)
    const passing = {
      'restart.policy': 'always',
      'restart.backoff.ms': '10',
      'restart.max.attempts': '1000',
    }
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
      ...passing,
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
      ...passing,
    })
    for (let killed = 0; killed < KILLS; killed++) {
      const before = (await received()).length
      await until('records arrive', async () => (await received()).length > before + 100)
      for (const pid of worker.hosts.filter(isAlive)) process.kill(pid, 'SIGKILL')
      await api.kill()
      await api.restart()
      // What is new since the kill can only be found by tasks that go on.
      await api.resize((ITEMS / 3) * (killed + 2))
    }
    await until('every item has arrived', async () => new Set(await received()).size >= ITEMS)
    await until('the sink has committed everything', async () => (await lag()) === 0)
    const ids = (await received()).map((line) => (JSON.parse(line) as { id: string }).id)
    expect(new Set(ids)).toEqual(new Set(Array.from({ length: ITEMS }, (_, n) => `k${n}`)))
    // The sink keeps an answer for each record; an answer is durable before the offset is committed.
    const consumer = client.consumer()
    const [answers = 0] = await consumer.endOffsets([{ topic: 'items-sink-answers', partition: 0 }])
    await consumer.close()
    expect(answers).toBeGreaterThanOrEqual(ITEMS)
  })
})
