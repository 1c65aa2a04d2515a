// The acceptance suite for authors, over the HTTP and the S3 connectors on real servers.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { describeSink, describeSource } from '@millrace/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import {
  sinkManifest as httpSinkManifest,
  sourceManifest as httpSourceManifest,
} from '../../connectors/http/manifest.ts'
import httpSink from '../../connectors/http/sink.ts'
import httpSource from '../../connectors/http/source.ts'
import s3TemplateSink from '../../connectors/s3/aiven/sink.ts'
import {
  aivenSinkManifest,
  sinkManifest as s3SinkManifest,
  sourceManifest as s3SourceManifest,
} from '../../connectors/s3/manifest.ts'
import s3Sink from '../../connectors/s3/sink.ts'
import s3Source from '../../connectors/s3/source.ts'
import { type HttpApi, startHttpApi } from '../services/http-api.ts'
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts'
import { aivenConnectionOf, connectionOf, jsonOf } from './support/s3-tasks.ts'
import { connector, type Gate, startGate, throughGate, urlThrough } from './support/conformance.ts'

const limits = { events: 4, kills: 3, starts: 30, floodEvents: 400 }

describe('the HTTP sink', () => {
  let api: HttpApi
  let gate: Gate
  let paths = 0

  beforeAll(async () => {
    api = await startHttpApi()
    gate = await startGate(Number(new URL(api.url).port))
  })
  afterAll(async () => {
    await gate?.shut()
    await api?.stop()
  })

  describeSink(httpSink, {
    manifest: httpSinkManifest,
    module: connector('http/sink.ts'),
    limits,
    bad: ({ id }) => ({ key: 'k', value: { id, is: 'bad' } }),
    open() {
      const path = `/w${++paths}`
      return {
        config: {
          'http.url': urlThrough(gate, `${api.url}${path}`),
          'max.retries': '1000',
          'retry.backoff.ms': '10',
          'behavior.on.null.values': 'ignore',
        },
        read: async () => (await api.received()).filter(({ url }) => url === path).map(({ body }) => body),
        ...throughGate(gate),
      }
    },
    tombstones: 'ignore',
    notApplicable: {
      'back-pressure': 'its records wait in the same batcher as those of the Redis sink, where this is looked at',
    },
  })
})

/** An API with the items behind a time, a page of three at a time, oldest first. Each item is of a second of its own. */
async function startItems() {
  const items: { id: string; at: string; payload: unknown }[] = []
  const server = createServer((request, response) => {
    const since = new URL(String(request.url), 'http://localhost').searchParams.get('since') ?? ''
    const page = items.filter(({ at }) => at >= since).slice(0, 3)
    response.end(JSON.stringify({ items: page }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    add(id: string, payload: unknown) {
      items.push({ id, at: new Date(Date.UTC(2024, 0, 1, 0, 0, items.length)).toISOString(), payload })
    },
    stop() {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

describe('the HTTP source', () => {
  describeSource(httpSource, {
    manifest: httpSourceManifest,
    module: connector('http/source.ts'),
    limits,
    async open() {
      const api = await startItems()
      const gate = await startGate(Number(new URL(api.url).port))
      return {
        config: {
          'kafka.topic': 'items',
          'http.request.url': urlThrough(gate, api.url),
          'http.request.params': 'since=${offset.timestamp}',
          'http.response.list.pointer': '/items',
          'http.response.record.offset.pointer': 'key=/id, timestamp=/at',
          'http.offset.initial': 'timestamp=2023-01-01T00:00:00Z',
          'http.timer.interval.millis': '5',
          'http.timer.catchup.interval.millis': '0',
          'http.retry.backoff.ms': '5',
        },
        produce: (events) => events.forEach(({ id, payload }) => api.add(id, payload)),
        ...throughGate(gate),
        async close() {
          await gate.shut()
          await api.stop()
        },
      }
    },
    notApplicable: {
      tombstones: 'what an API no longer lists is not told',
      'schema-evolution': 'the text of an answer has no schema',
    },
  })
})

describe.skipIf(s3Missing() !== null)('connectors on S3', () => {
  let server: S3Server
  let gate: Gate
  let folders = 0

  beforeAll(async () => {
    server = await startS3()
    gate = await startGate(Number(new URL(server.endpoint).port))
  })
  afterAll(async () => {
    await gate?.shut()
    await server?.stop()
  })
  const through = () => ({ ...server, endpoint: urlThrough(gate, server.endpoint) })

  describeSink(s3Sink, {
    manifest: s3SinkManifest,
    module: connector('s3/sink.ts'),
    limits,
    tombstones: 'ignore',
    open() {
      const folder = `sink-${++folders}`
      return {
        config: {
          ...connectionOf(through()),
          'format.class': 'JsonFormat',
          'flush.size': '1',
          'topics.dir': folder,
          'behavior.on.null.values': 'ignore',
          'report.null.values.to.dlq': 'false',
        },
        read: () => jsonOf(server, `${folder}/`),
        ...throughGate(gate),
      }
    },
    notApplicable: {
      'back-pressure': 'what its open files hold is measured by the bench with 500 of them',
      'bad-records': 'every value can be written as JSON',
    },
  })

  describeSink(s3TemplateSink, {
    manifest: aivenSinkManifest,
    module: connector('s3/aiven/sink.ts'),
    limits: { ...limits, starts: 10 },
    tombstones: 'write',
    open() {
      const folder = `templates-${++folders}`
      return {
        config: {
          ...aivenConnectionOf(through()),
          'format.output.type': 'jsonl',
          'format.output.envelope': 'false',
          'file.name.template': `${folder}/{{topic}}-{{partition}}-{{start_offset:padding=true}}`,
          'file.compression.type': 'none',
          'kafka.retry.backoff.ms': '10',
        },
        read: () => jsonOf(server, `${folder}/`),
        ...throughGate(gate),
      }
    },
    notApplicable: {
      'back-pressure': 'what its open files hold is measured by the bench with 500 of them',
      'bad-records': 'every value can be written as JSON',
    },
  })

  describeSource(s3Source, {
    manifest: s3SourceManifest,
    module: connector('s3/source.ts'),
    limits,
    open() {
      const folder = `source-${++folders}`
      let objects = 0
      return {
        config: {
          ...connectionOf(through()),
          mode: 'GENERIC',
          'format.class': 'JsonFormat',
          'topics.dir': folder,
          'topic.regex.list': `events:${folder}/.*\\.json`,
          's3.poll.interval.ms': '10',
          'record.batch.max.size': '2',
        },
        async produce(events) {
          const Key = `${folder}/${String(objects++).padStart(4, '0')}.json`
          const Body = events.map(({ id, payload }) => `${JSON.stringify({ id, payload })}\n`).join('')
          await server.client.send(new PutObjectCommand({ Bucket: server.bucket, Key, Body }))
        },
        ...throughGate(gate),
      }
    },
    notApplicable: {
      tombstones: 'lines of objects are never without a value',
      'schema-evolution': 'JSON of objects has no schema',
    },
  })
})
