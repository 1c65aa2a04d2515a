import { clientOf } from '../../integration/client/clusters.ts'
import { type NewRecord, produce } from '../../integration/support/topics.ts'
import { startKafkaConnect } from '../../services/kafka-connect.ts'
import { mirrorMakerJars } from '../../services/kafka-mirror.ts'
import { cpuSeconds } from '../measure.ts'
import type { BenchCase, Figures } from '../report.ts'
import { createConnector, deleteConnector, waitFor } from '../rest-client.ts'
import { millraceBroker, millraceWorker } from '../systems.ts'
import { createTopicReader, type TopicReader } from '../topic-reader.ts'

const RECORDS = 500_000
const VALUE_BYTES = 200
const TOPIC = 'numbers'
const BYTES = 'org.apache.kafka.connect.converters.ByteArrayConverter'

function* records(): Generator<NewRecord> {
  const value = Buffer.alloc(VALUE_BYTES, 'v')
  for (let n = 0; n < RECORDS; n++) yield { partition: 0, key: Buffer.from(`k${n}`), value }
}

const fill = (bootstrapServers: string): Promise<void> =>
  produce(clientOf({ bootstrapServers }), TOPIC, records(), { batchSize: 131_072, lingerMs: 5 })

/** One broker is both clusters, and each round copies under a name of its own; the CPU is that of the worker. */
async function copy(
  url: string,
  pid: number,
  bootstrapServers: string,
  reader: TopicReader,
  alias: string,
): Promise<Figures> {
  const before = cpuSeconds(pid)
  const started = performance.now()
  await createConnector(url, alias, {
    'connector.class': 'org.apache.kafka.connect.mirror.MirrorSourceConnector',
    'tasks.max': '1',
    'source.cluster.alias': alias,
    'target.cluster.alias': 'there',
    'source.cluster.bootstrap.servers': bootstrapServers,
    'target.cluster.bootstrap.servers': bootstrapServers,
    topics: TOPIC,
    'heartbeats.replication.enabled': 'false',
    'replication.factor': '1',
    'offset-syncs.topic.replication.factor': '1',
    'key.converter': BYTES,
    'value.converter': BYTES,
    'header.converter': BYTES,
  })
  await waitFor(`the copy ${alias}`, async () => (await reader.end(`${alias}.${TOPIC}`)) >= RECORDS)
  const seconds = (performance.now() - started) / 1000
  const cpu = cpuSeconds(pid) - before
  await deleteConnector(url, alias)
  return { records: RECORDS / seconds, perCore: RECORDS / cpu }
}

/** A mirror of one partition, beside MirrorMaker 2 on the same broker; nothing is asked of it. */
export const mirrorCases: readonly BenchCase[] = [
  {
    name: 'mirror',
    title: `mirror of a topic, ${RECORDS / 1000} k records of ${VALUE_BYTES} B, one task`,
    targets: [
      { figure: 'records', unit: '1/s', better: 'more' },
      { figure: 'perCore', unit: '1/core-s', better: 'more' },
    ],
    async sides() {
      const broker = await millraceBroker()
      const { bootstrapServers } = broker
      await fill(bootstrapServers)
      const reader = await createTopicReader(bootstrapServers)
      const ours = await millraceWorker(bootstrapServers, 'bench-mirror')
      const peer = await startKafkaConnect({ bootstrapServers, group: 'bench-mm2', classes: await mirrorMakerJars() })
      const run = (worker: typeof ours | typeof peer, name: string) => (round: number) =>
        copy(worker.url, worker.pid(), bootstrapServers, reader, `${name}${round + 9}`)
      return [
        {
          name: 'millrace',
          run: run(ours, 'ours'),
          async stop() {
            await ours.stop()
          },
        },
        {
          name: 'MirrorMaker 2',
          run: run(peer, 'peer'),
          async stop() {
            await peer.stop()
            await reader.close()
            await broker.stop()
          },
        },
      ]
    },
  },
]
