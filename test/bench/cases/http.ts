import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { request } from 'undici'
import { clientOf } from '../../integration/client/clusters.ts'
import { type NewRecord, produce } from '../../integration/support/topics.ts'
import { cpuSeconds, ownCpuSeconds, scaled, timed } from '../measure.ts'
import type { BenchCase, Side } from '../report.ts'
import { createConnector, deleteConnector, waitFor } from '../rest-client.ts'
import { millraceBroker, millraceWorker } from '../systems.ts'
import { createTopicReader } from '../topic-reader.ts'

const RECORDS = scaled(200_000)
const BATCH = 500
const TOPIC = 'events'

const valueAt = (id: number) => ({
  id,
  name: `customer ${id % 10_000}`,
  note: 'a few words that are the same each time',
})

interface HttpServer {
  readonly url: string
  /** Records that were taken since the last reset. */
  counted(): Promise<number>
  reset(): Promise<void>
  stop(): void
}

async function startServer(): Promise<HttpServer> {
  const child = fork(new URL('../http-server.ts', import.meta.url), [String(RECORDS)], { silent: true })
  const [port] = (await once(child.stdout as Readable, 'data')) as [Buffer]
  const url = `http://127.0.0.1:${Number(String(port))}`
  const ask = async (path: string) => Number(await (await request(`${url}${path}`)).body.text())
  return {
    url,
    counted: () => ask('/count'),
    reset: async () => void (await ask('/count?reset')),
    stop: () => child.disconnect(),
  }
}

function* records(): Generator<NewRecord> {
  for (let n = 0; n < RECORDS; n++) {
    yield { partition: 0, key: null, value: Buffer.from(JSON.stringify(valueAt(n))) }
  }
}

async function stack(group: string) {
  const server = await startServer()
  const broker = await millraceBroker()
  const worker = await millraceWorker(broker.bootstrapServers, group)
  return {
    server,
    broker,
    worker,
    cpu: (): number => cpuSeconds(worker.pid()) + cpuSeconds(broker.pid()),
    async stop() {
      await worker.stop()
      await broker.stop()
      server.stop()
    },
  }
}

async function sinkSides(): Promise<readonly Side[]> {
  const { server, broker, worker, cpu, stop } = await stack('bench-http-sink')
  await produce(clientOf(broker), TOPIC, records())
  return [
    {
      name: 'millrace',
      async run(round) {
        const name = `http-sink-${round + 9}`
        await server.reset()
        const figures = await timed(RECORDS, cpu, async () => {
          await createConnector(worker.url, name, {
            'connector.class': 'io.confluent.connect.http.HttpSinkConnector',
            'tasks.max': '1',
            topics: TOPIC,
            'http.api.url': `${server.url}/records`,
            'request.method': 'POST',
            'batch.max.size': String(BATCH),
            'batch.json.as.array': 'true',
            'consumer.override.auto.offset.reset': 'earliest',
            'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
            'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
            'value.converter.schemas.enable': 'false',
          })
          await waitFor('the server has all', async () => (await server.counted()) >= RECORDS)
        })
        await deleteConnector(worker.url, name)
        return figures
      },
      stop,
    },
    {
      name: 'undici',
      async run() {
        await server.reset()
        return timed(RECORDS, ownCpuSeconds, async () => {
          for (let n = 0; n < RECORDS; n += BATCH) {
            const body = JSON.stringify(Array.from({ length: BATCH }, (_, index) => valueAt(n + index)))
            const answer = await request(`${server.url}/records`, { method: 'POST', body })
            await answer.body.dump()
          }
        })
      },
      stop: async () => undefined,
    },
  ]
}

async function sourceSides(): Promise<readonly Side[]> {
  const { server, broker, worker, cpu, stop } = await stack('bench-http-source')
  const reader = await createTopicReader(broker.bootstrapServers)
  return [
    {
      name: 'millrace',
      async run(round) {
        const name = `http-source-${round + 9}`
        const figures = await timed(RECORDS, cpu, async () => {
          await createConnector(worker.url, name, {
            'connector.class': 'com.github.castorm.kafka.connect.http.HttpSourceConnector',
            'tasks.max': '1',
            'http.request.url': `${server.url}/pages`,
            'http.offset.initial': 'timestamp=2023-01-01T00:00:00Z',
            'http.pagination.mode': 'cursor',
            'http.pagination.next.pointer': '/next',
            'http.pagination.param': 'cursor',
            'http.response.list.pointer': '/items',
            'http.response.record.offset.pointer': 'key=/id, timestamp=/updated',
            'kafka.topic': name,
          })
          await waitFor(`${name} is full`, async () => (await reader.end(name)) >= RECORDS)
        })
        await deleteConnector(worker.url, name)
        return figures
      },
      async stop() {
        await reader.close()
        await stop()
      },
    },
    {
      name: 'undici',
      run: () =>
        timed(RECORDS, ownCpuSeconds, async () => {
          let found = 0
          for (let cursor: string | null = '0'; cursor !== null; ) {
            const answer = await request(`${server.url}/pages?cursor=${cursor}`)
            const page = (await answer.body.json()) as { items: unknown[]; next: string | null }
            found += page.items.length
            cursor = page.next
          }
          if (found !== RECORDS) throw new Error(`the pages have ${found} records of ${RECORDS}`)
        }),
      stop: async () => undefined,
    },
  ]
}

const targets = [{ figure: 'records', unit: '1/s', better: 'more' }] as const

export const httpCases: readonly BenchCase[] = [
  {
    name: 'http-sink',
    title: `topic -> HTTP, ${RECORDS} records in arrays of ${BATCH}; the peer is undici alone`,
    targets,
    sides: sinkSides,
  },
  {
    name: 'http-source',
    title: `pages of a JSON API -> topic, ${RECORDS} records; the peer is undici and JSON.parse alone`,
    targets,
    sides: sourceSides,
  },
]
