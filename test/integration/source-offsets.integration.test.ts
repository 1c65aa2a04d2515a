import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Client } from '../../src/client/index.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { clientOf, clusterKinds, type TestCluster } from './client/clusters.ts'
import { endOf } from './support/topic-values.ts'
import { startTestWorker, until } from './worker-harness.ts'

for (const kind of clusterKinds) {
  describe.skipIf(kind.missing)(`source offsets in a topic of ${kind.name}`, () => {
    let cluster: TestCluster
    let client: Client

    beforeAll(async () => {
      cluster = await kind.start()
      client = clientOf(cluster)
    })

    afterAll(async () => {
      await cluster?.stop()
    })

    async function valuesOf(topic: string): Promise<string[]> {
      const consumer = client.consumer({ autoOffsetReset: 'earliest' })
      try {
        consumer.assign([{ topic, partition: 0 }])
        const [end = 0] = await consumer.endOffsets([{ topic, partition: 0 }])
        const values: string[] = []
        let last = -1
        while (last < end - 1) {
          for (const { value, offset } of await consumer.poll(1000)) {
            values.push(value?.toString() ?? '')
            last = offset
          }
        }
        return values
      } finally {
        await consumer.close()
      }
    }

    it('bring every record into the log through kill -9 of the host and stops, in order', async () => {
      const topic = 'survived'
      const config = {
        name: 'survivor',
        'connector.class': 'SteadySource',
        topic,
        'batch.size': '20',
        'interval.ms': '1',
        'offset.flush.interval.ms': '50',
        'restart.backoff.ms': '10',
        'restart.reset.ms': '0',
        'topic.creation.default.partitions': '1',
        'topic.creation.default.replication.factor': '1',
      }
      const id = { connector: 'survivor', task: 0 }
      // A stop that is cut off repeats records, and a busy machine takes its time.
      const patient = { 'task.shutdown.graceful.timeout.ms': String(DEADLINE_MS) }
      const test = await startTestWorker(cluster.bootstrapServers, patient, `offsets-of-${topic}`)
      try {
        await test.create(config)
        const state = () => test.news('survivor').at(-1)?.state
        await until('its topic is there', () => test.metric('source-record-write-total', 'survivor') > 0)
        for (let round = 1; round <= 3; round++) {
          // The metric of a task that was killed stays until the next one has numbers; the topic knows.
          const [heard, end] = [test.news('survivor').length, await endOf(client, topic)]
          await until('it writes', async () => (await endOf(client, topic)) > end + 500)
          test.killHosts()
          await until('it runs again', () => test.news('survivor').length > heard && state() === 'RUNNING')
        }
        const written = await valuesOf(topic)
        await test.worker.stopTasks([id])
        const stopped = await valuesOf(topic)
        expect(stopped.length).toBeGreaterThanOrEqual(written.length)
        const next = Number(stopped.at(-1)) + 1
        const limited = { ...config, 'max.records': String(next + 5000) }
        await test.worker.startTask(id, limited, limited, 'STARTED')
        await until('it is finished', () => test.news('survivor').at(-1)?.detail.finished === true)
        const values = (await valuesOf(topic)).map(Number)
        // After a kill some numbers come again, from a committed offset on; none is missing and none comes too late.
        let highest = -1
        for (const value of values) {
          expect(value).toBeLessThanOrEqual(highest + 1)
          highest = Math.max(highest, value)
        }
        expect(highest).toBe(next + 4999)
        // The stop was graceful: what followed it starts exactly after it.
        expect(values[stopped.length]).toBe(next)
      } finally {
        await test.stop()
      }
    })
  })
}
