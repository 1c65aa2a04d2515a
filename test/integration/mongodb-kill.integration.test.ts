// What the MongoDB connectors claim, under kill -9 of task hosts and of a server that keeps what it has confirmed.
import { BSON, type Collection, MongoClient } from 'mongodb'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Random, seededRandom, silentLogger } from '../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../src/base/real/index.ts'
import { type Client, createClient } from '../../src/client/index.ts'
import { isAlive } from '../services/alive.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { mongoMissing, type MongoServer, startMongo } from '../services/mongo.ts'
import { committedBy, endOf, topicValues } from './support/topic-values.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

const RECORDS = 1800
const CHANGES = 450
const PARTITIONS = 3
const KEYS = 150

const missing = mongoMissing()
const patient = {
  'restart.policy': 'always',
  'restart.backoff.ms': '10',
  'restart.max.attempts': '1000',
}

describe.skipIf(missing !== null)('MongoDB under kill -9', () => {
  let broker: MillraceBroker
  let server: MongoServer
  let worker: TestWorker
  let client: Client
  let mongo: MongoClient

  beforeAll(async () => {
    broker = await startMillraceBroker()
    const environment = { clock: realClock, net: realNet, random: realRandom, logger: silentLogger }
    client = createClient({ bootstrapServers: broker.bootstrapServers, ...environment })
  })
  afterAll(async () => {
    await broker?.stop()
  })
  beforeEach(async () => {
    server = await startMongo({ isDurable: true })
    mongo = await new MongoClient(server.uri).connect()
    worker = await startTestWorker(broker.bootstrapServers, {
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
      'offset.flush.interval.ms': '300',
    })
  })
  afterEach(async () => {
    await worker?.stop()
    await mongo?.close()
    await server?.stop()
  })

  const collection = (name: string): Collection<any> => mongo.db('shop').collection(name)

  async function killHostsAndServer(): Promise<void> {
    for (const pid of worker.hosts.filter(isAlive)) process.kill(pid, 'SIGKILL')
    await server.kill()
    await server.restart()
  }

  test('a collection equals its topic, after hosts and server were killed', async () => {
    const admin = client.admin()
    await admin.topics.create([{ name: 'changes', numPartitions: PARTITIONS, replicationFactor: 1 }])
    await admin.close()
    const changes = new Changes(client, seededRandom(20_261_121))
    await worker.create(
      {
        ...patient,
        name: 'changes-sink',
        'connector.class': 'com.mongodb.kafka.connect.MongoSinkConnector',
        topics: 'changes',
        'connection.uri': server.uri,
        database: 'shop',
        // Not a document as id: of those the server's file backend finds only some again.
        'document.id.strategy': 'com.mongodb.kafka.connect.sink.processor.id.strategy.ProvidedInKeyStrategy',
        'delete.on.null.values': 'true',
        // Small bulks, each written to the file of the server: the copy cannot be complete before the kills.
        'max.batch.size': '10',
        'retries.defer.timeout': '20',
        'max.num.retries': '1000',
        'consumer.override.max.poll.records': '100',
        'consumer.override.session.timeout.ms': '6000',
        'consumer.override.heartbeat.interval.ms': '500',
        'errors.tolerance': 'all',
        'errors.deadletterqueue.topic.name': 'changes-errors',
        'errors.deadletterqueue.topic.replication.factor': '1',
      },
      2,
    )
    for (let killed = 0; killed < 2; killed++) {
      const before = await committedBy(client, 'changes-sink')
      await changes.write(RECORDS / 3)
      await until('there is progress', async () => (await committedBy(client, 'changes-sink')) > before)
      await killHostsAndServer()
    }
    await changes.write(RECORDS / 3)
    await until(
      'everything is delivered and committed',
      async () => (await committedBy(client, 'changes-sink')) === RECORDS,
    )
    const found = await collection('changes').find().toArray()
    expect(new Map(found.map(({ _id, n }) => [_id, n]))).toEqual(changes.last)
  })

  test('the topic has every change of a collection in order, after hosts and server were killed', async () => {
    const orders = collection('orders')
    await worker.create({
      ...patient,
      name: 'orders-source',
      'connector.class': 'com.mongodb.kafka.connect.MongoSourceConnector',
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'connection.uri': `${server.uri}&serverSelectionTimeoutMS=2000`,
      database: 'shop',
      collection: 'orders',
      'topic.namespace.map': '{"*": "orders"}',
      'poll.max.batch.size': '10',
      'poll.await.time.ms': '100',
    })
    const workload = new Workload(orders, seededRandom(20_261_122))
    await until('the stream is open', () => worker.news('orders-source').at(-1)?.state === 'RUNNING')
    // Without a committed offset a source begins with what happens then.
    await workload.run(1)
    const isCommitted = () => worker.metric('offset-commit-success-percentage', 'orders-source') > 0
    await until('the first offset is committed', isCommitted)
    for (let killed = 0; killed < 2; killed++) {
      const before = await endOf(client, 'orders')
      await workload.run(CHANGES / 3)
      await until('there is progress', async () => (await endOf(client, 'orders')) > before)
      await killHostsAndServer()
    }
    await workload.run(CHANGES / 3)
    const last = workload.done.at(-1)
    const events = async () =>
      (await topicValues(broker, 'orders')).map((text) => BSON.EJSON.parse(text) as ChangeEvent)
    await until('the last change is there', async () => (await events()).map(changeOf).includes(last!))
    // First sights are in the order of the oplog; repetitions come behind.
    const seen = new Map((await events()).map((event) => [event._id._data, changeOf(event)]))
    expect([...seen.values()]).toEqual(workload.done)
  })
})

/** Random changes of a topic, and what must be there in the end. */
class Changes {
  readonly last = new Map<string, number>()
  readonly #client: Client
  readonly #random: Random
  #n = 0

  constructor(client: Client, random: Random) {
    this.#client = client
    this.#random = random
  }

  async write(count: number): Promise<void> {
    const producer = this.#client.producer()
    for (const end = this.#n + count; this.#n < end; this.#n++) {
      const number = Math.floor(this.#random.next() * KEYS)
      const _id = `k${number}`
      const kind = this.#random.next()
      // Values that are no document go to the dead letter queue.
      const value = kind < 0.2 ? null : kind < 0.22 ? 'no document' : { n: this.#n }
      if (value === null) this.last.delete(_id)
      else if (typeof value === 'object') this.last.set(_id, value.n)
      const room = producer.ready('changes')
      if (room) await room
      producer.append({
        topic: 'changes',
        partition: number % PARTITIONS,
        key: Buffer.from(JSON.stringify({ _id })),
        value: value && Buffer.from(JSON.stringify(value)),
        headers: [],
        timestamp: Date.now(),
      })
    }
    await producer.flush()
    await producer.close()
  }
}

interface ChangeEvent {
  readonly _id: { readonly _data: string }
  readonly operationType: string
  readonly documentKey: { readonly _id: string }
  readonly fullDocument?: { readonly n: number } | null
}

function changeOf({ operationType, documentKey, fullDocument }: ChangeEvent): string {
  return operationType === 'delete' ? `delete ${documentKey._id}` : `insert ${documentKey._id} ${fullDocument?.n}`
}

/**
 * Inserts and deletes of a collection, in one order. Updates are left out: mongo-java-server reports them with wrong
 * keys.
 */
class Workload {
  readonly done: string[] = []
  readonly #orders: Collection<any>
  readonly #random: Random
  readonly #present = new Set<string>()

  constructor(orders: Collection<any>, random: Random) {
    this.#orders = orders
    this.#random = random
  }

  async run(changes: number): Promise<void> {
    for (const end = this.done.length + changes; this.done.length < end; ) {
      const _id = `k${Math.floor(this.#random.next() * KEYS)}`
      const n = this.done.length
      if (this.#present.delete(_id)) {
        await this.#orders.deleteOne({ _id })
        this.done.push(`delete ${_id}`)
      } else {
        await this.#orders.insertOne({ _id, n })
        this.#present.add(_id)
        this.done.push(`insert ${_id} ${n}`)
      }
    }
  }
}
