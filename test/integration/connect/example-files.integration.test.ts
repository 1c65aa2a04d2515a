// The property files that come with Apache Kafka, as its quickstart uses them: only addresses are others.
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { endProcess } from '../../services/end-process.ts'
import { freePort } from '../../services/free-port.ts'
import { type MillraceBroker, startMillraceBroker } from '../../services/millrace.ts'
import { clientOf } from '../client/clusters.ts'
import { isHealthy, rest, until, untilRunning } from './connect-cluster.ts'

const launch = fileURLToPath(new URL('../../../src/cli/launch.js', import.meta.url))

const CONVERTERS = `# Converter-specific settings have the prefix of the converter.
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable=true
`
/** Files of Kafka before 2.0 set these, and the quickstart of Kafka 3 and 4 adds the path. */
const OLD_AND_NEW = `internal.key.converter=org.apache.kafka.connect.json.JsonConverter
internal.value.converter=org.apache.kafka.connect.json.JsonConverter
internal.key.converter.schemas.enable=false
internal.value.converter.schemas.enable=false
plugin.path=libs/connect-file-4.3.1.jar
`
const STANDALONE = `${CONVERTERS}
offset.storage.file.filename=connect.offsets
offset.flush.interval.ms=10000
${OLD_AND_NEW}
#plugin.path=
`
const DISTRIBUTED = `${CONVERTERS}
group.id=connect-cluster
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
#offset.storage.partitions=25
config.storage.topic=connect-configs
config.storage.replication.factor=1
status.storage.topic=connect-status
status.storage.replication.factor=1
#status.storage.partitions=5
offset.flush.interval.ms=10000
#listeners=HTTP://:8083
#rest.advertised.host.name=
`
const SOURCE = { name: 'local-file-source', class: 'FileStreamSource', file: 'test.txt', topics: 'topic' }
const SINK = { name: 'local-file-sink', class: 'FileStreamSink', file: 'test.sink.txt', topics: 'topics' }

const settings = (one: typeof SOURCE): Record<string, string> => ({
  name: one.name,
  'connector.class': one.class,
  'tasks.max': '1',
  file: one.file,
  [one.topics]: 'connect-test',
})
const properties = (one: typeof SOURCE): string =>
  Object.entries(settings(one))
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')

let broker: MillraceBroker
let folder: string
let port: number
let child: ChildProcess | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-examples-'))
  port = await freePort()
  broker = await startMillraceBroker()
  await writeFile(join(folder, 'test.txt'), 'foo\nbar\n')
})

afterEach(async () => {
  if (child) await endProcess(child, 'SIGKILL', () => '')
  child = undefined
  await broker.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Starts a command in the folder, where the relative paths of the files lead to, and waits for its REST. */
async function start(command: string, worker: string, ...files: string[]): Promise<string> {
  const addresses = `bootstrap.servers=${broker.bootstrapServers}\nlisteners=http://127.0.0.1:${port}\n`
  await writeFile(join(folder, 'worker.properties'), addresses + worker)
  const args = ['--conditions=source', launch, command, 'worker.properties', ...files]
  const started = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  child = started
  let output = ''
  for (const stream of [started.stdout, started.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const url = `http://127.0.0.1:${port}`
  const look = async () => (started.exitCode === null ? await isHealthy(url) : Promise.reject(new Error(output)))
  await until('the worker is healthy', look, (healthy) => healthy)
  return url
}

/** The quickstart: lines go from file to file, and a line that is added follows them. */
async function linesFlow(url: string): Promise<void> {
  await untilRunning(url, 2)
  const sink = () => readFile(join(folder, 'test.sink.txt'), 'utf8').catch(() => '')
  await until('the lines arrive', sink, (text) => text === 'foo\nbar\n')
  await appendFile(join(folder, 'test.txt'), 'Another line\n')
  await until('the added line arrives', sink, (text) => text === 'foo\nbar\nAnother line\n')
  const consumer = clientOf(broker).consumer({})
  consumer.assign([{ topic: 'connect-test', partition: 0 }])
  consumer.seekToBeginning()
  const [first] = await until(
    'the topic is read',
    () => consumer.poll(100),
    (records) => records.length > 0,
  )
  expect(String(first?.value)).toBe('{"schema":{"type":"string","optional":false},"payload":"foo"}')
  await consumer.close()
}

test('connect-standalone with its worker file and the two connector files', async () => {
  await writeFile(join(folder, 'connect-file-source.properties'), properties(SOURCE))
  await writeFile(join(folder, 'connect-file-sink.properties'), properties(SINK))
  const files = ['connect-file-source.properties', 'connect-file-sink.properties']
  await linesFlow(await start('connect-standalone', STANDALONE, ...files))
})

test('connect-distributed with its worker file, and the two connectors through REST', async () => {
  const url = await start('connect-distributed', DISTRIBUTED)
  for (const one of [SOURCE, SINK]) {
    const { status, body } = await rest(url, 'POST', '/connectors', { name: one.name, config: settings(one) })
    expect([status, body]).toEqual([201, expect.objectContaining({ name: one.name })])
  }
  await linesFlow(url)
})
