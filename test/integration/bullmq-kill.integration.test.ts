// What the BullMQ connectors claim, under kill -9 of task hosts and of a server that keeps what it has confirmed.
import type { Job } from 'bullmq'
import { describe, expect, test } from 'vitest'
import { redisMissing, startRedis } from '../services/redis.ts'
import { impatientConsumer, patient, useKills } from './support/kills.ts'
import { useQueue } from './support/redis-hooks.ts'
import { topicValues } from './support/topic-values.ts'
import { createTopic, produce } from './support/topics.ts'
import { until } from './worker-harness.ts'

const PART = 600
const RECORDS = 3 * PART

describe.skipIf(redisMissing())('BullMQ under kill -9', () => {
  const kills = useKills(() => startRedis({ isDurable: true }))
  const queue = useQueue('work', () => kills.server)

  const all = Array.from({ length: RECORDS }, (_, n) => n)

  test('a queue has one job for each record of the topic, in its order', async () => {
    await createTopic(kills.client, 'work')
    await kills.worker.create({
      ...patient,
      ...impatientConsumer,
      name: 'to-queue',
      'connector.class': 'BullMQSinkConnector',
      topics: 'work',
      'redis.uri': kills.server.url,
      'batch.size': '10',
      'retry.backoff.ms': '20',
      'max.retries': '1000',
      'consumer.override.max.poll.records': '50',
    })
    const records = (part: number) =>
      all
        .slice(part * PART, (part + 1) * PART)
        .map((n) => ({ partition: 0, key: null, value: Buffer.from(JSON.stringify({ n })) }))
    const add = (part: number) => produce(kills.client, 'work', records(part))
    const count = (): Promise<number> => queue().getWaitingCount()
    await kills.between(add, count)
    await until('each record has its job', async () => (await count()) >= all.length)
    const jobs = (await queue().getJobs(['waiting'], 0, -1, true)) as Job<{ n: number }>[]
    expect(jobs.map(({ data }) => data.n)).toEqual(all)
  })

  test('every job is in the topic before it is completed, and all are completed', async () => {
    await kills.worker.create({
      ...patient,
      name: 'from-queue',
      'connector.class': 'BullMQSourceConnector',
      'queue.name': 'work',
      topic: 'from-work',
      'redis.uri': kills.server.url,
      'lock.duration.ms': '1000',
      'batch.size': '20',
      'producer.override.linger.ms': '0',
    })
    const add = async (part: number): Promise<void> => {
      await queue().addBulk(Array.from({ length: PART }, (_, n) => ({ name: 'job', data: { n: part * PART + n } })))
    }
    const completed = (): Promise<number> => queue().getCompletedCount()
    await kills.between(add, completed)
    await until('all jobs are completed', async () => (await completed()) === all.length)
    expect(await queue().getFailedCount()).toBe(0)
    const values = await topicValues(kills.broker, 'from-work')
    const seen = new Set(values.map((text) => (JSON.parse(text) as { data: { n: number } }).data.n))
    expect([...seen].toSorted((a, b) => a - b)).toEqual(all)
    // What BullMQ keeps as the result of a job is where its record is.
    const [job] = (await queue().getJobs(['completed'], 0, 0)) as Job<{ n: number }>[]
    const { offset } = job!.returnvalue as { offset: number }
    expect(JSON.parse(values[offset] ?? '{}')).toMatchObject({ id: job!.id })
  })
})
