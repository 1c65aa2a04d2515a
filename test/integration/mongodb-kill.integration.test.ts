// What the MongoDB connectors claim, under kill -9 of task hosts and of a server that keeps what it has confirmed.
import { BSON, type Collection, MongoClient } from 'mongodb'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Random, seededRandom } from '../../src/base/index.ts'
import type { Client } from '../../src/client/index.ts'
import { mongoMissing, startMongo } from '../services/mongo.ts'
import { impatientConsumer, patient, useKills } from './support/kills.ts'
import { committedBy, endOf, topicValues } from './support/topic-values.ts'
import { createTopic, type NewRecord, produce } from './support/topics.ts'
import { until } from './worker-harness.ts'

const RECORDS = 1800
const CHANGES = 450
const PARTITIONS = 3
const KEYS = 150

const missing = mongoMissing()

describe.skipIf(missing !== null)('MongoDB under kill -9', () => {
  const kills = useKills(() => startMongo({ isDurable: true }))
  let mongo: MongoClient

  beforeEach(async () => {
    mongo = await new MongoClient(kills.server.uri).connect()
  })
  afterEach(async () => {
    await mongo?.close()
  })

  const collection = (name: string): Collection<any> => mongo.db('shop').collection(name)

  test('a collection equals its topic, after hosts and server were killed', async () => {
    const { client, worker, server } = kills
    await createTopic(client, 'changes', PARTITIONS)
    const changes = new Changes(client, seededRandom(20_261_121))
    await worker.create(
      {
        ...patient,
        ...impatientConsumer,
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
        'errors.tolerance': 'all',
        'errors.deadletterqueue.topic.name': 'changes-errors',
        'errors.deadletterqueue.topic.replication.factor': '1',
      },
      2,
    )
    await kills.between(
      () => changes.write(RECORDS / 3),
      () => committedBy(client, 'changes-sink'),
    )
    await until(
      'everything is delivered and committed',
      async () => (await committedBy(client, 'changes-sink')) === RECORDS,
    )
    const found = await collection('changes').find().toArray()
    expect(new Map(found.map(({ _id, n }) => [_id, n]))).toEqual(changes.last)
  })

  test('the topic has every change of a collection in order, after hosts and server were killed', async () => {
    const { broker, client, worker, server } = kills
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
    await kills.between(
      () => workload.run(CHANGES / 3),
      () => endOf(client, 'orders'),
    )
    // First sights are in the order of the oplog; repetitions come behind.
    const seen = async (): Promise<string[]> => {
      const events = (await topicValues(broker, 'orders')).map((text) => BSON.EJSON.parse(text) as ChangeEvent)
      return [...new Map(events.map((event) => [event._id._data, changeOf(event)])).values()]
    }
    await until('every change is there', async () => (await seen()).length >= workload.done.length)
    expect(await seen()).toEqual(workload.done)
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

  write(count: number): Promise<void> {
    return produce(this.#client, 'changes', this.#next(count))
  }

  *#next(count: number): Generator<NewRecord> {
    for (const end = this.#n + count; this.#n < end; this.#n++) {
      const number = Math.floor(this.#random.next() * KEYS)
      const _id = `k${number}`
      const kind = this.#random.next()
      // Values that are no document go to the dead letter queue.
      const value = kind < 0.2 ? null : kind < 0.22 ? 'no document' : { n: this.#n }
      if (value === null) this.last.delete(_id)
      else if (typeof value === 'object') this.last.set(_id, value.n)
      yield {
        partition: number % PARTITIONS,
        key: Buffer.from(JSON.stringify({ _id })),
        value: value && Buffer.from(JSON.stringify(value)),
      }
    }
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
