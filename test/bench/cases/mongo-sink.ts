import { MongoClient } from 'mongodb'
import { clientOf } from '../../integration/client/clusters.ts'
import { type NewRecord, produce } from '../../integration/support/topics.ts'
import { startMongo } from '../../services/mongo.ts'
import { cpuSeconds, ownCpuSeconds, timed } from '../measure.ts'
import type { BenchCase, Figures, Side } from '../report.ts'
import { createConnector, deleteConnector, waitFor } from '../rest-client.ts'
import { millraceBroker, millraceWorker } from '../systems.ts'

const RECORDS = 150_000
/** What the bare driver is fastest with. */
const BATCH = 2000
const DATABASE = 'bench'

const valueAt = (n: number) => ({
  id: n,
  name: `customer ${n % 10_000}`,
  city: `City_${n % 97}`,
  note: 'a few words that are the same each time',
  address: { street: `Street ${n % 1000}`, number: n % 200 },
})

function* records(): Generator<NewRecord> {
  for (let n = 0; n < RECORDS; n++) {
    yield { partition: 0, key: Buffer.from(`{"_id": "k${n}"}`), value: Buffer.from(JSON.stringify(valueAt(n))) }
  }
}

async function sides(): Promise<readonly Side[]> {
  // Both write to one server, which does most of the work of either; its oplog would do it once more.
  const server = await startMongo({ hasOplog: false, heapMb: 1500 })
  const client = await new MongoClient(server.uri).connect()
  const broker = await millraceBroker()
  const worker = await millraceWorker(broker.bootstrapServers, 'bench-mongo')
  await produce(clientOf(broker), 'customers', records())
  const counted = (name: string): Promise<number> => client.db(DATABASE).collection(name).estimatedDocumentCount()

  /** Times work until all documents are there; CPU is that of whoever writes them, not of the server. */
  async function filling(name: string, cpu: () => number, work: () => Promise<void>): Promise<Figures> {
    await client.db(DATABASE).dropDatabase()
    return timed(RECORDS, cpu, async () => {
      await work()
      await waitFor(`${name} is full`, async () => (await counted(name)) >= RECORDS)
    })
  }

  return [
    {
      name: 'millrace',
      async run(round) {
        const name = `mongo-${round + 9}`
        const config = {
          'connector.class': 'com.mongodb.kafka.connect.MongoSinkConnector',
          'tasks.max': '1',
          topics: 'customers',
          'connection.uri': server.uri,
          database: DATABASE,
          collection: 'ours',
          'document.id.strategy': 'ProvidedInKeyStrategy',
          'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
          'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
          'value.converter.schemas.enable': 'false',
        }
        const cpu = (): number => cpuSeconds(worker.pid()) + cpuSeconds(broker.pid())
        const figures = await filling('ours', cpu, () => createConnector(worker.url, name, config))
        await deleteConnector(worker.url, name)
        return figures
      },
      async stop() {
        await client.close()
        await worker.stop()
        await broker.stop()
        await server.stop()
      },
    },
    {
      name: 'bulkWrite',
      async run() {
        return filling('bare', ownCpuSeconds, async () => {
          for (let n = 0; n < RECORDS; n += BATCH) {
            const operations = Array.from({ length: BATCH }, (_, i) => {
              const _id = `k${n + i}`
              return { replaceOne: { filter: { _id }, replacement: { ...valueAt(n + i), _id }, upsert: true } }
            })
            await client.db(DATABASE).collection<{ _id: string }>('bare').bulkWrite(operations, { ordered: true })
          }
        })
      },
      stop: async () => undefined,
    },
  ]
}

export const mongoCases: readonly BenchCase[] = [
  {
    name: 'mongo-sink',
    title: `topic -> MongoDB collection, ${RECORDS} upserts; the peer is bare bulkWrite on the same server`,
    targets: [{ figure: 'records', unit: '1/s', better: 'more', ratio: 0.8 }],
    sides,
  },
]
