// The acceptance suite for authors, over the MongoDB connectors on mongo-java-server.
import { describeSink, describeSource } from '@millrace/testkit'
import { type Collection, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe } from 'vitest'
import { sinkManifest, sourceManifest } from '../../connectors/mongodb/manifest.ts'
import sink from '../../connectors/mongodb/sink.ts'
import source from '../../connectors/mongodb/source.ts'
import { mongoMissing, type MongoServer, startMongo } from '../services/mongo.ts'
import { connector, type Gate, startGate, throughGate, urlThrough } from './support/conformance.ts'

const limits = { events: 4, kills: 3, starts: 20, floodEvents: 400 }

describe.skipIf(mongoMissing() !== null)('connectors on MongoDB', () => {
  let server: MongoServer
  let client: MongoClient
  let gate: Gate
  let databases = 0

  beforeAll(async () => {
    server = await startMongo()
    gate = await startGate(Number(new URL(server.uri).port))
    client = await new MongoClient(server.uri).connect()
  })
  afterAll(async () => {
    await client?.close()
    await gate?.shut()
    await server?.stop()
  })

  /** Each check has a database of its own. */
  const open = (name: string) => {
    const database = `check${++databases}`
    const collection: Collection<any> = client.db(database).collection(name)
    return {
      collection,
      config: { 'connection.uri': urlThrough(gate, server.uri), database },
      close: async () => void (await client.db(database).dropDatabase()),
    }
  }

  describeSource(source, {
    manifest: sourceManifest,
    module: connector('mongodb/source.ts'),
    limits,
    open() {
      const { collection, config, close } = open('events')
      return {
        // This server tells no place where a stream begins, so a task that starts without an offset copies what is there.
        config: {
          ...config,
          collection: 'events',
          'startup.mode': 'copy_existing',
          'poll.max.batch.size': '3',
          'poll.await.time.ms': '20',
          'publish.full.document.only': 'true',
          'publish.full.document.only.tombstone.on.delete': 'true',
        },
        produce: async (events) => {
          for (const { id, key, payload } of events) await collection.insertOne({ _id: id, key, payload })
        },
        remove: async (events) => {
          for (const { id } of events) await collection.deleteOne({ _id: id })
        },
        close,
      }
    },
    notApplicable: {
      'back-pressure': 'mongo-java-server gives all documents of an aggregation at once, whatever it is asked for',
      outage: 'mongo-java-server tells no place in the stream before its first event; mongodb-kill takes it away later',
      'schema-evolution': 'documents are text of JSON',
      'required-config': 'every key has a default',
    },
  })

  describeSink(sink, {
    manifest: sinkManifest,
    module: connector('mongodb/sink.ts'),
    limits,
    guarantee: 'idempotent',
    target: 'latest',
    tombstones: 'delete',
    record: ({ id, key, payload }) => ({ key: { _id: key }, value: { id, payload } }),
    bad: ({ id }) => ({ key: { _id: id }, value: id }),
    open(topic) {
      const { collection, config, close } = open(topic)
      return {
        config: {
          ...config,
          'document.id.strategy': 'ProvidedInKeyStrategy',
          'delete.on.null.values': 'true',
          'retries.defer.timeout': '10',
        },
        read: () => collection.find().sort({ _id: 1 }).toArray(),
        ...throughGate(gate),
        close,
      }
    },
    notApplicable: {
      'back-pressure': 'its records wait in the batcher that all sinks share, which is looked at with others',
      'schema-evolution': 'documents have no schema',
    },
  })
})
