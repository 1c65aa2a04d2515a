import { randomBytes } from 'node:crypto'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { silentLogger } from '../../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../../src/base/real/index.ts'
import { createClient } from '../../../src/client/index.ts'
import { type S3Server, startS3 } from '../../services/s3.ts'
import { cpuSeconds, pssMb } from '../measure.ts'
import type { BenchCase, Figures } from '../report.ts'
import { createConnector, deleteConnector, waitFor } from '../rest-client.ts'
import { millraceBroker, millraceWorker } from '../systems.ts'

const RECORDS = 1_000_000
const FLUSH_SIZE = 100_000
const OPEN_RECORDS = 200_000
const OPEN_FOLDERS = 500
const TOPIC = 'bench-rows'

const FIELDS = [
  { field: 'id', type: 'int64' },
  { field: 'folder', type: 'int32' },
  { field: 'name', type: 'string' },
  { field: 'amount', type: 'double' },
  { field: 'note', type: 'string' },
]
const SCHEMA = JSON.stringify({
  type: 'struct',
  optional: false,
  fields: FIELDS.map((each) => ({ ...each, optional: false })),
})

function rowText(n: number, withSchema: boolean): string {
  const row = {
    id: n,
    folder: n % OPEN_FOLDERS,
    name: `customer ${n % 10_000}`,
    amount: (n % 1000) / 8,
    note: 'a few words that are the same each time',
  }
  const payload = JSON.stringify(row)
  return withSchema ? `{"schema":${SCHEMA},"payload":${payload}}` : payload
}

async function fillTopic(bootstrapServers: string, withSchema: boolean): Promise<void> {
  const environment = { clock: realClock, net: realNet, random: realRandom, logger: silentLogger }
  const producer = createClient({ bootstrapServers, ...environment }).producer()
  for (let n = 0; n < RECORDS; n++) {
    const room = producer.ready(TOPIC)
    if (room) await room
    const value = Buffer.from(rowText(n, withSchema))
    producer.append({ topic: TOPIC, partition: 0, key: null, value, headers: [], timestamp: Date.now() })
  }
  await producer.flush()
  await producer.close()
}

/** Objects and bytes below a prefix, counted at the server. */
async function stored(server: S3Server, prefix: string): Promise<{ keys: string[]; bytes: number }> {
  const keys: string[] = []
  let bytes = 0
  for (let token: string | undefined; ; ) {
    const page = await server.client.send(
      new ListObjectsV2Command({
        Bucket: server.bucket,
        Prefix: prefix,
        ...(token ? { ContinuationToken: token } : {}),
      }),
    )
    for (const { Key, Size } of page.Contents ?? []) {
      keys.push(Key ?? '')
      bytes += Size ?? 0
    }
    token = page.NextContinuationToken
    if (token === undefined) return { keys, bytes }
  }
}

/** The same objects uploaded by the client's own helper, with nothing around it. */
async function rawUpload(server: S3Server, from: string, to: string): Promise<Figures> {
  const { keys } = await stored(server, from)
  const bodies: Buffer[] = []
  for (const Key of keys) {
    const answer = await server.client.send(new GetObjectCommand({ Bucket: server.bucket, Key }))
    bodies.push(Buffer.from((await answer.Body?.transformToByteArray()) ?? []))
  }
  const { endpoint, accessKeyId, secretAccessKey } = server
  const client = new S3Client({
    region: 'us-east-1',
    endpoint,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  })
  const before = process.cpuUsage()
  const started = performance.now()
  const waiting = bodies.entries()
  const lane = async (): Promise<void> => {
    for (const [index, Body] of waiting) {
      const params = { Bucket: server.bucket, Key: `${to}/${index}`, Body }
      await new Upload({ client, params, partSize: 26_214_400 }).done()
    }
  }
  await Promise.all(Array.from({ length: 4 }, lane))
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(before)
  client.destroy()
  return { records: RECORDS / seconds, cpu: (user + system) / 1e6 }
}

function s3Case(format: 'json' | 'parquet'): BenchCase {
  return {
    name: `s3-sink-${format}`,
    title: `topic -> S3, 1 M records as ${format}; the peer is the upload of the same objects by lib-storage`,
    targets: [
      { figure: 'records', unit: '1/s', better: 'more', ratio: 0.8 },
      { figure: 'openMb', unit: 'MB with 500 open files', better: 'less', absolute: 300 },
    ],
    async sides() {
      const server = await startS3()
      const broker = await millraceBroker()
      const worker = await millraceWorker(broker.bootstrapServers, `bench-s3-${randomBytes(4).toString('hex')}`)
      await fillTopic(broker.bootstrapServers, format === 'parquet')
      const common = {
        'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
        'tasks.max': '1',
        topics: TOPIC,
        's3.bucket.name': server.bucket,
        's3.region': 'us-east-1',
        'store.url': server.endpoint,
        'aws.access.key.id': server.accessKeyId,
        'aws.secret.access.key': server.secretAccessKey,
        'format.class': format === 'json' ? 'JsonFormat' : 'ParquetFormat',
        'consumer.override.max.poll.records': '2000',
        'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
        'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
        // Parquet needs schemas.
        'value.converter.schemas.enable': String(format === 'parquet'),
      }
      const idleMb = pssMb(worker.pid())
      let last = ''
      return [
        {
          name: 'millrace',
          async run(round) {
            const name = `s3-${format}-${round + 9}`
            const cpu = () => cpuSeconds(worker.pid()) + cpuSeconds(broker.pid())
            const before = cpu()
            const started = performance.now()
            await createConnector(worker.url, name, { ...common, 'topics.dir': name, 'flush.size': String(FLUSH_SIZE) })
            const wanted = RECORDS / FLUSH_SIZE
            await waitFor(`${name} at the destination`, async () => (await stored(server, name)).keys.length === wanted)
            const seconds = (performance.now() - started) / 1000
            const used = cpu() - before
            await deleteConnector(worker.url, name)
            last = name
            // Open files that are only closed by the flush at their end: the most that they held is what counts.
            const openMb = await openFiles(
              worker.url,
              `${name}-open`,
              server,
              common,
              () => pssMb(worker.pid()) - idleMb,
            )
            return { records: RECORDS / seconds, cpu: used, openMb }
          },
          async stop() {
            await worker.stop()
            await broker.stop()
            await server.stop()
          },
        },
        {
          name: 'lib-storage',
          run: (round) => rawUpload(server, last, `raw-${format}-${round + 9}`),
          async stop() {},
        },
      ]
    },
  }
}

/** The most memory, in MB beyond an idle worker, while 500 files of one task are open. */
async function openFiles(
  url: string,
  name: string,
  server: S3Server,
  common: Readonly<Record<string, string>>,
  memoryMb: () => number,
): Promise<number> {
  let most = 0
  const timer = setInterval(() => (most = Math.max(most, memoryMb())), 100)
  try {
    await createConnector(url, name, {
      ...common,
      'topics.dir': name,
      'partitioner.class': 'FieldPartitioner',
      'partition.field.name': 'folder',
      'flush.size': String(OPEN_RECORDS),
    })
    await waitFor(`${name}: 500 files`, async () => (await stored(server, name)).keys.length >= OPEN_FOLDERS)
  } finally {
    clearInterval(timer)
    await deleteConnector(url, name)
  }
  return most
}

export const s3Cases: readonly BenchCase[] = [s3Case('json'), s3Case('parquet')]
