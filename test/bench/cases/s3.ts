import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { type S3Server, startS3 } from '../../services/s3.ts'
import { cpuSeconds, pssMb } from '../measure.ts'
import { ORIGINAL, type OriginalWorker, originalPath, originalWorker } from '../originals.ts'
import type { BenchCase, Figures, Side } from '../report.ts'
import { type Config, createConnector, deleteConnector, waitFor, waitForConnector } from '../rest-client.ts'
import { type BrokerUnderTest, kafkaBroker, millraceBroker, millraceWorker, type WorkerUnderTest } from '../systems.ts'
import {
  checkRows,
  committedOffset,
  fillTopic,
  FOLDERS,
  type Format,
  RECORDS,
  storedBodies,
  storedKeys,
  TOPIC,
} from './s3-rows.ts'

const FILES = 10
const OPEN_RECORDS = Math.min(200_000, RECORDS)
const LOOK_MS = 50
/** More than a worker grows by itself, less than a host has. */
const IDLE_MB = 40
/** Of both workers: one original writes what it has when it commits, so it does so when that is about a file. */
const COMMITS = { 'offset.flush.interval.ms': '1000' }

/** The settings of one original, which Millrace takes as they are. */
interface Dialect {
  config(server: S3Server, format: Format, folder: string): Config
  isStored(server: S3Server, broker: BrokerUnderTest, name: string): Promise<boolean>
}

const confluent: Dialect = {
  config: (server, format, folder) => ({
    'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
    'storage.class': 'io.confluent.connect.s3.storage.S3Storage',
    'format.class': `io.confluent.connect.s3.format.${format === 'json' ? 'json.JsonFormat' : 'parquet.ParquetFormat'}`,
    's3.bucket.name': server.bucket,
    's3.region': 'us-east-1',
    'store.url': server.endpoint,
    'aws.access.key.id': server.accessKeyId,
    'aws.secret.access.key': server.secretAccessKey,
    'topics.dir': folder,
    'flush.size': String(RECORDS / FILES),
  }),
  isStored: async (server, _broker, name) => (await storedKeys(server, name)).length === FILES,
}

/** It writes all that it has at each commit, and is done no sooner than with the next one. */
const aiven: Dialect = {
  config: (server, format, folder) => ({
    'connector.class': 'io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector',
    'aws.s3.bucket.name': server.bucket,
    'aws.s3.region': 'us-east-1',
    'aws.s3.endpoint': server.endpoint,
    'aws.access.key.id': server.accessKeyId,
    'aws.secret.access.key': server.secretAccessKey,
    'file.name.template': `${folder}/{{topic}}-{{partition}}-{{start_offset}}`,
    'file.compression.type': format === 'json' ? 'none' : 'snappy',
    'format.output.type': format === 'json' ? 'jsonl' : 'parquet',
    'format.output.fields': 'value',
    'format.output.envelope': 'false',
  }),
  isStored: async (_server, broker, name) => (await committedOffset(broker.bootstrapServers, name)) === RECORDS,
}

/** What both have in common. */
const sinkConfig = (format: Format): Config => ({
  'tasks.max': '1',
  topics: TOPIC,
  'consumer.override.max.poll.records': '2000',
  'consumer.override.auto.offset.reset': 'earliest',
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  // Parquet needs schemas.
  'value.converter.schemas.enable': String(format === 'parquet'),
})

interface Stack {
  readonly name: string
  readonly broker: BrokerUnderTest
  readonly worker: WorkerUnderTest
}

/** Stores the topic, and then reads what is stored to see that it is all. */
async function sinkRun(
  stack: Stack,
  server: S3Server,
  dialect: Dialect,
  format: Format,
  name: string,
): Promise<Figures> {
  const { broker, worker } = stack
  const [before, brokerBefore] = [cpuSeconds(worker.pid()), cpuSeconds(broker.pid())]
  const started = performance.now()
  await createConnector(worker.url, name, { ...sinkConfig(format), ...dialect.config(server, format, name) })
  await waitForConnector(worker.url, name, `${name} at the destination`, async () => {
    await sleep(LOOK_MS)
    return dialect.isStored(server, broker, name)
  })
  const seconds = (performance.now() - started) / 1000
  const cpu = cpuSeconds(worker.pid()) - before
  const brokerCpu = cpuSeconds(broker.pid()) - brokerBefore
  await deleteConnector(worker.url, name)
  await checkRows(server, name, format)
  return { records: RECORDS / seconds, perCore: RECORDS / cpu, perCoreWithBroker: RECORDS / (cpu + brokerCpu) }
}

/** The same objects uploaded by the client's own helper, with nothing around it. */
async function rawUpload(server: S3Server, from: string, to: string): Promise<Figures> {
  const bodies = await storedBodies(server, from)
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
  return { records: RECORDS / seconds, perCore: RECORDS / ((user + system) / 1e6) }
}

/** The most memory, in MB beyond an idle worker, while 500 files of one task are open, which only their end closes. */
async function openFiles(
  url: string,
  name: string,
  server: S3Server,
  format: Format,
  memoryMb: () => number,
): Promise<Figures> {
  let most = 0
  const timer = setInterval(() => (most = Math.max(most, memoryMb())), 100)
  try {
    await createConnector(url, name, {
      ...sinkConfig(format),
      ...confluent.config(server, format, name),
      'partitioner.class': 'FieldPartitioner',
      'partition.field.name': 'folder',
      'flush.size': String(OPEN_RECORDS),
    })
    const areStored = async () => (await storedKeys(server, name)).length >= FOLDERS
    await waitForConnector(url, name, `${name}: ${FOLDERS} files`, areStored)
  } finally {
    clearInterval(timer)
    await deleteConnector(url, name)
  }
  return { openMb: most }
}

async function originalStack(path: string, group: string): Promise<Stack & { readonly worker: OriginalWorker }> {
  const broker = await kafkaBroker()
  const worker = await originalWorker(broker.bootstrapServers, group, path, COMMITS)
  return { name: worker.name, broker, worker }
}

async function sides(format: Format): Promise<readonly Side[]> {
  const path = originalPath('S3_ORIGINAL')
  const server = await startS3()
  const group = `bench-s3-${randomBytes(4).toString('hex')}`
  const original = path === null ? null : await originalStack(path, group)
  const dialect = original?.worker.connectorClass('S3SinkConnector').startsWith('io.aiven.') ? aiven : confluent
  const broker = await millraceBroker()
  const worker = await millraceWorker(broker.bootstrapServers, group, COMMITS)
  const ours: Stack = { name: 'millrace', broker, worker }
  for (const stack of original === null ? [ours] : [ours, original]) {
    await fillTopic(stack.broker.bootstrapServers, format === 'parquet')
  }
  const idleMb = pssMb(worker.pid())
  const run = (stack: Stack, round: number) =>
    sinkRun(stack, server, dialect, format, `s3-${stack.name}-${format}-${round + 9}`)
  const stop = async (stack: Stack) => {
    await stack.worker.stop()
    await stack.broker.stop()
  }
  const theirs: Side[] =
    original === null
      ? []
      : [{ name: original.name, role: ORIGINAL, run: (round) => run(original, round), stop: () => stop(original) }]
  return [
    {
      name: 'millrace',
      async run(round) {
        const figures = await run(ours, round)
        const memoryMb = () => pssMb(worker.pid()) - idleMb
        // What the run before held goes with its host, which is kept for half a minute.
        await waitFor('the host of the run before is gone', async () => memoryMb() < IDLE_MB)
        const open = await openFiles(worker.url, `s3-open-${format}-${round + 9}`, server, format, memoryMb)
        return { ...figures, ...open }
      },
      stop: () => stop(ours),
    },
    ...theirs,
    {
      name: 'lib-storage',
      run: (round) => rawUpload(server, `s3-millrace-${format}-${round + 9}`, `raw-${format}-${round + 9}`),
      stop: () => server.stop(),
    },
  ]
}

/** One of two is asked for: twice the original or, where there is none, nearly what an upload alone does. */
const upload = process.env['S3_ORIGINAL'] ? {} : { ratio: 0.8 }

const s3Case = (format: Format): BenchCase => ({
  name: `s3-sink-${format}`,
  title: `topic -> S3, ${RECORDS} records as ${format}; peers: the original, the upload of our objects by lib-storage`,
  targets: [
    { figure: 'records', unit: '1/s', better: 'more', peer: ORIGINAL, ratio: 2 },
    { figure: 'perCore', unit: '1/core-s', better: 'more', peer: ORIGINAL },
    { figure: 'perCoreWithBroker', unit: '1/core-s', better: 'more', peer: ORIGINAL },
    { figure: 'records', unit: '1/s', better: 'more', peer: 'lib-storage', ...upload },
    { figure: 'openMb', unit: `MB with ${FOLDERS} open files`, better: 'less', absolute: 300 },
  ],
  sides: () => sides(format),
})

export const s3Cases: readonly BenchCase[] = [s3Case('json'), s3Case('parquet')]
