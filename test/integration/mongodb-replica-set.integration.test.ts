// What only a real replica set does: it runs when MONGO_URL names one (MongoDB 6.0 or later), and test/run.ts says
// when not.
import { BSON, type Collection, MongoClient } from 'mongodb'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import sink from '../../connectors/mongodb/sink.ts'
import source from '../../connectors/mongodb/source.ts'
import { mongoReplicaSet } from '../services/mongo.ts'
import { type RunningMongoSource, startMongoSource } from './support/mongodb-source.ts'
import { startSink } from './support/sink-driver.ts'
import { Offsets } from './support/task-contract.ts'

const url = mongoReplicaSet()

describe('MongoDB source and sink on a replica set', () => {
  let client: MongoClient
  let database = ''
  let count = 0
  const running: RunningMongoSource[] = []

  beforeAll(async () => {
    client = await new MongoClient(url).connect()
  })
  beforeEach(() => {
    database = `millrace_test_${process.pid}_${count++}`
  })
  afterEach(async () => {
    for (const each of running.splice(0)) await each.stop()
    await client.db(database).dropDatabase()
  })
  afterAll(() => client?.close())

  const orders = (): Collection<any> => client.db(database).collection('orders')

  async function start(settings: Record<string, string> = {}, offsets = new Offsets()): Promise<RunningMongoSource> {
    const raw = { 'connection.uri': url, database, 'poll.await.time.ms': '200', ...settings }
    const each = await startMongoSource(source, raw, offsets)
    running.push(each)
    return each
  }

  const eventOf = ({ value }: { value: unknown }): any => BSON.EJSON.parse(String(value))

  test('updates have their description, their document as it is and as it was', async () => {
    await client.db(database).createCollection('orders', { changeStreamPreAndPostImages: { enabled: true } })
    const it = await start({
      collection: 'orders',
      'change.stream.full.document': 'required',
      'change.stream.full.document.before.change': 'required',
    })
    await orders().insertOne({ _id: 'a', items: [1, 2, 3], old: 1 })
    await orders().updateOne({ _id: 'a' }, { $set: { n: 5 }, $unset: { old: '' } })
    const [, updated] = await it.take(2)
    expect(eventOf(updated!)).toMatchObject({
      operationType: 'update',
      documentKey: { _id: 'a' },
      ns: { db: database, coll: 'orders' },
      updateDescription: { updatedFields: { n: 5 }, removedFields: ['old'] },
      fullDocument: { _id: 'a', items: [1, 2, 3], n: 5 },
      fullDocumentBeforeChange: { _id: 'a', items: [1, 2, 3], old: 1 },
    })
  })

  test.each(['database', 'deployment'])('a %s is watched, each collection has its topic', async (what) => {
    const pipeline = JSON.stringify([{ $match: { 'ns.db': database } }])
    const it = await start({ ...(what === 'deployment' ? { database: '' } : {}), pipeline })
    await orders().insertOne({ _id: 'a' })
    await client.db(database).collection<any>('items').insertOne({ _id: 'b' })
    expect((await it.take(2)).map(({ topic }) => topic)).toEqual([`${database}.orders`, `${database}.items`])
  })

  test('a dropped collection ends the stream, and what comes after it is read', async () => {
    await orders().insertOne({ _id: 'a' })
    const it = await start({ collection: 'orders' })
    await orders().drop()
    await orders().insertOne({ _id: 'b' })
    expect((await it.take(2)).map((record) => eventOf(record).operationType)).toEqual(['drop', 'insert'])
  })

  test('a committed invalidate event is no dead end for the next task', async () => {
    const offsets = new Offsets()
    await orders().insertOne({ _id: 'a' })
    const first = await start({ collection: 'orders' }, offsets)
    await orders().drop()
    const [drop, invalidate] = await first.takeAny(2)
    offsets.set(drop!.sourcePartition, invalidate!.sourceOffset)
    await first.stop()
    await orders().insertOne({ _id: 'b' })
    const second = await start({ collection: 'orders' }, offsets)
    expect(eventOf((await second.take(1))[0]!)).toMatchObject({ documentKey: { _id: 'b' } })
  })

  test('startup.mode=timestamp begins with what happened since', async () => {
    await orders().insertOne({ _id: 'before' })
    const { operationTime } = await client.db('admin').command({ ping: 1 })
    await orders().insertOne({ _id: 'after' })
    const it = await start({
      collection: 'orders',
      'startup.mode': 'timestamp',
      'startup.mode.timestamp.start.at.operation.time': BSON.EJSON.stringify(operationTime),
    })
    const records = await it.take(1)
    expect(['before', 'after']).toContain(eventOf(records[0]!).documentKey._id)
    const rest = eventOf(records[0]!).documentKey._id === 'before' ? await it.take(1) : records
    expect(eventOf(rest[0]!).documentKey._id).toBe('after')
  })

  test('the offset moves while nothing happens, and a copy of an empty collection ends with one', async () => {
    const it = await start({ collection: 'orders', 'startup.mode': 'copy_existing' })
    const [position] = await it.takeAny(1)
    expect(position).toMatchObject({ topic: null, sourceOffset: { _id: expect.stringContaining('_data') } })
    expect(position?.sourceOffset).not.toHaveProperty('copy')
    await client.db(`${database}_other`).collection<any>('x').insertOne({ _id: 'a' })
    const [moved] = await it.takeAny(1)
    expect(moved?.sourceOffset).not.toEqual(position?.sourceOffset)
    await client.db(`${database}_other`).dropDatabase()
  })

  test('a token that the server does not know fails the task', async () => {
    const offsets = new Offsets()
    const first = await start({ collection: 'orders' }, offsets)
    await orders().insertOne({ _id: 'a' })
    const [record] = await first.take(1)
    await first.stop()
    offsets.set(record!.sourcePartition, { _id: '{"_data": "8200000001000000012B0229296E04"}' })
    const second = await start({ collection: 'orders' }, offsets)
    await expect(second.take(1)).rejects.toThrow(/change stream/)
  })

  test('a time series collection is made once, and taken as one by the next task', async () => {
    for (let n = 0; n < 2; n++) {
      const driver = await startSink(sink, {
        'connection.uri': url,
        database,
        'timeseries.timefield': 'at',
        'timeseries.timefield.auto.convert': 'true',
      })
      await driver.send('readings', [{ value: { at: 1000 + n } }])
      await driver.commit()
      await driver.put([])
      await driver.stop()
    }
    expect(await client.db(database).collection('readings').countDocuments()).toBe(2)
    const [collection] = await client.db(database).listCollections({ name: 'readings' }).toArray()
    expect(collection?.type).toBe('timeseries')
  })

  test('events of the source build the same collection with the ChangeStreamHandler', async () => {
    const it = await start({ collection: 'orders', 'change.stream.full.document': 'default' })
    await orders().insertOne({ _id: 'a', items: [1, 2, 3, 4], n: 0 })
    await orders().updateOne({ _id: 'a' }, [{ $set: { items: { $slice: ['$items', 2] } } }])
    await orders().updateOne({ _id: 'a' }, { $set: { n: 1 } })
    await orders().insertOne({ _id: 'b' })
    await orders().deleteOne({ _id: 'b' })
    const driver = await startSink(sink, {
      'connection.uri': url,
      database,
      collection: 'copy',
      'change.data.capture.handler': 'com.mongodb.kafka.connect.sink.cdc.mongodb.ChangeStreamHandler',
    })
    await driver.send('events', await it.take(5).then((records) => records.map(({ value }) => ({ value }))))
    await driver.commit()
    await driver.stop()
    expect(await client.db(database).collection('copy').find().toArray()).toEqual(await orders().find().toArray())
  })
})
