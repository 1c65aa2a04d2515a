/** `node --conditions=source test/bench/micro/client.ts [host:port]`: producer and consumer against a broker, by default one of ours. */
import { silentLogger } from '../../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../../src/base/real/index.ts'
import { createClient } from '../../../src/client/index.ts'
import { startMillraceBroker } from '../../services/millrace.ts'
import { line, mega } from './cpu.ts'

const RECORDS = 1_000_000
const PARTITIONS = 3
const given = process.argv[2]
const broker = given === undefined ? await startMillraceBroker({ 'log.flush': 'os' }) : undefined
const bootstrapServers = given ?? broker!.bootstrapServers
const client = createClient({
  bootstrapServers,
  net: realNet,
  clock: realClock,
  random: realRandom,
  logger: silentLogger,
})

async function measured(name: string, body: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await body()
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  line(name, { 'M records/s': mega(RECORDS / seconds), 'M records/cpu-s': mega((RECORDS * 1e6) / (user + system)) })
}

const topic = `bench-${process.pid}`
const admin = client.admin()
await admin.topics.create([{ name: topic, numPartitions: PARTITIONS }])
const value = Buffer.alloc(100, 97)
for (const batchSize of [16_384, 65_536]) {
  const producer = client.producer({ batchSize })
  for (const round of ['warm-up', 'measured']) {
    await measured(`append to ack, 100 B, ${batchSize / 1024} KiB batches (${round})`, async () => {
      for (let i = 0; i < RECORDS; i++) {
        for (let wait = producer.ready(topic); wait; wait = producer.ready(topic)) await wait
        producer.append({ topic, key: null, value })
      }
      await producer.flush()
    })
  }
  await producer.close()
}
for (const round of ['warm-up', 'measured']) {
  const consumer = client.consumer({ autoOffsetReset: 'earliest', maxPollRecords: 5000 })
  consumer.assign(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })))
  await measured(`poll, 100 B (${round})`, async () => {
    for (let count = 0; count < RECORDS; ) count += (await consumer.poll(1000)).length
  })
  await consumer.close()
}
await admin.topics.delete([topic])
await admin.close()
await broker?.stop()
