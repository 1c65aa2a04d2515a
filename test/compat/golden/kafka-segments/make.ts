/**
 * Makes the golden partitions of this folder with Apache Kafka: `node --conditions=source test/compat/golden/kafka-segments/make.ts`.
 * Files are stored as `<topic>/<suffix>.bin`, because names ending in .log are ignored by git.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kafkaTool, startKafka, type ToolResult } from '../../../services/kafka.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const RECORDS = 300

function ok(result: ToolResult): void {
  if (result.code !== 0) throw new Error(result.stdout + result.stderr)
}

/** Lines of the console producer: headers, key, value; every seventh value is null. */
function lines(codec: string): string {
  const rows = Array.from({ length: RECORDS }, (_, i) => {
    const value = i % 7 === 3 ? 'NULL' : `{"id":${i},"codec":"${codec}","text":"${'golden '.repeat(i % 12)}"}`
    return `h1:v${i},h2:\u00fc\tkey-${i % 10}\t${value}`
  })
  return `${rows.join('\n')}\n`
}

const kafka = await startKafka()
const bootstrap = ['--bootstrap-server', kafka.bootstrapServers]
async function createTopic(topic: string): Promise<void> {
  const args = ['--create', '--topic', topic, '--partitions', '1', '--config', 'index.interval.bytes=256']
  ok(await kafkaTool('org.apache.kafka.tools.TopicCommand', [...bootstrap, ...args]))
}
for (const codec of CODECS) {
  await createTopic(`golden-${codec}`)
  const properties = ['parse.headers=true', 'parse.key=true', 'null.marker=NULL']
  const reader = properties.flatMap((property) => ['--reader-property', property])
  const producer = ['batch.size=2048', 'linger.ms=5'].flatMap((property) => ['--command-property', property])
  const args = ['--topic', `golden-${codec}`, '--compression-codec', codec, ...reader, ...producer]
  ok(await kafkaTool('org.apache.kafka.tools.ConsoleProducer', [...bootstrap, ...args], { input: lines(codec) }))
}
await createTopic('golden-txn')
const perf = ['--topic', 'golden-txn', '--num-records', '40', '--record-size', '50', '--throughput', '1000']
const transactional = ['--transactional-id', 'golden', '--transaction-duration-ms', '10']
ok(await kafkaTool('org.apache.kafka.tools.ProducerPerformance', [...perf, ...transactional, '--bootstrap-server', kafka.bootstrapServers]))
process.kill(kafka.pid(), 'SIGTERM')
const data = kafka.dataDirectory
while (!existsSync(join(data, '.kafka_cleanshutdown'))) await new Promise((resolve) => setTimeout(resolve, 100))
for (const topic of [...CODECS.map((codec) => `golden-${codec}`), 'golden-txn']) {
  const target = join(HERE, topic)
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target)
  for (const name of readdirSync(join(data, `${topic}-0`))) cpSync(join(data, `${topic}-0`, name), join(target, `${name}.bin`))
}
cpSync(join(data, 'meta.properties'), join(HERE, 'meta.properties.bin'))
writeFileSync(join(HERE, 'lines.json'), `${JSON.stringify({ records: RECORDS, kafka: kafka.version })}\n`)
await kafka.stop()
