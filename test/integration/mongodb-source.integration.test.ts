// The source on mongo-java-server: a collection's change stream, resumption, the copy. What only a replica set can do
// is in
// mongodb-replica-set.integration.test.ts.
import { BSON, Int32 } from 'mongodb'
import type { SourceRecord } from '@millrace/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import source from '../../connectors/mongodb/source.ts'
import { mongoMissing, MongoProxy } from '../services/mongo.ts'
import { Offsets } from './support/task-contract.ts'
import { useMongo } from './support/mongo-hooks.ts'
import { type RunningMongoSource, startMongoSource } from './support/mongodb-source.ts'

const missing = mongoMissing()

describe.skipIf(missing !== null)('MongoDB source', () => {
  const mongo = useMongo()
  const running: RunningMongoSource[] = []
  afterEach(async () => {
    for (const each of running.splice(0)) await each.stop()
  })

  const { orders } = mongo

  async function start(settings: Record<string, string> = {}, offsets = new Offsets()): Promise<RunningMongoSource> {
    const raw = {
      'connection.uri': mongo.server.uri,
      database: mongo.database,
      collection: 'orders',
      'poll.await.time.ms': '100',
      ...settings,
    }
    const each = await startMongoSource(source, raw, offsets)
    running.push(each)
    return each
  }

  const eventsOf = (records: readonly SourceRecord[]): any[] =>
    records.map(({ value }) => BSON.EJSON.parse(String(value)))

  test('changes become records: the key is the _id, the value the event, the topic the collection', async () => {
    const it = await start()
    await orders().insertOne({ _id: 'a', n: 1 })
    await orders().deleteOne({ _id: 'a' })
    const records = await it.take(2)
    expect(records.map(({ topic, key }) => [topic, key])).toEqual([
      [`${mongo.database}.orders`, '{"_id": "a"}'],
      [`${mongo.database}.orders`, '{"_id": "a"}'],
    ])
    expect(eventsOf(records)).toMatchObject([
      { operationType: 'insert', fullDocument: { _id: 'a', n: 1 }, documentKey: { _id: 'a' } },
      { operationType: 'delete', documentKey: { _id: 'a' } },
    ])
    const ns = `${mongo.server.uri.replace('?directConnection=true', '')}${mongo.database}.orders`
    expect(records[1]?.sourcePartition).toEqual({ ns })
    expect(records[1]?.sourceOffset).toEqual({ _id: expect.stringMatching(/^\{"_data": "[\da-f]+"\}$/) })
  })

  test('another task goes on behind the committed record', async () => {
    const offsets = new Offsets()
    const first = await start({}, offsets)
    await orders().insertMany([1, 2, 3].map((n) => ({ _id: `d${n}`, n })))
    const records = await first.take(3)
    offsets.commit(records.slice(0, 1))
    await first.stop()
    await orders().insertOne({ _id: 'd4', n: 4 })
    const second = await start({}, offsets)
    expect(eventsOf(await second.take(3)).map(({ fullDocument }) => fullDocument.n)).toEqual([2, 3, 4])
    const other = await start({ 'offset.partition.name': 'another' }, offsets)
    await orders().insertOne({ _id: 'd5', n: 5 })
    expect(eventsOf(await other.take(1)).map(({ fullDocument }) => fullDocument.n)).toEqual([5])
  })

  test('only documents, with the whole document of updates and tombstones for deletes', async () => {
    const it = await start({
      'publish.full.document.only': 'true',
      'publish.full.document.only.tombstone.on.delete': 'true',
      'output.json.formatter': 'com.mongodb.kafka.connect.source.json.formatter.SimplifiedJson',
      'topic.prefix': 'p',
    })
    await orders().insertOne({ _id: 'a', n: 1 })
    await orders().updateOne({ _id: 'a' }, { $set: { n: 2 } })
    const [inserted, updated] = await it.take(2)
    await orders().deleteOne({ _id: 'a' })
    const [deleted] = await it.take(1)
    expect([inserted?.value, updated?.value, deleted?.value]).toEqual(['{"_id": "a", "n": 1}', expect.anything(), null])
    expect(inserted?.topic).toBe(`p.${mongo.database}.orders`)
    expect(deleted?.key).toBe('{"_id": "a"}')
  })

  test('a delete without a tombstone still moves the offset', async () => {
    const it = await start({ 'publish.full.document.only': 'true' })
    await orders().insertOne({ _id: 'a', n: 1 })
    await orders().deleteOne({ _id: 'a' })
    const [inserted, deleted] = await it.takeAny(2)
    expect(inserted?.topic).toBe(`${mongo.database}.orders`)
    expect(deleted?.topic).toBeNull()
    expect(deleted?.sourceOffset).not.toEqual(inserted?.sourceOffset)
  })

  test('events go through the pipeline, and polls are no larger than poll.max.batch.size', async () => {
    const it = await start({ pipeline: '[{"$match": {"fullDocument.keep": true}}]', 'poll.max.batch.size': '2' })
    await orders().insertMany([1, 2, 3, 4, 5, 6].map((n) => ({ _id: `d${n}`, n, keep: n % 2 === 1 })))
    const sizes: number[] = []
    const seen: number[] = []
    while (seen.length < 3) {
      const records = (await it.poll()) as SourceRecord[]
      if (records.length > 0) sizes.push(records.length)
      seen.push(...eventsOf(records).map(({ fullDocument }) => fullDocument.n as number))
    }
    expect(seen).toEqual([1, 3, 5])
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2)
  })

  test('copy_existing reads what is there, and then the changes since it began', async () => {
    const offsets = new Offsets()
    await orders().insertMany([1, 2, 3, 4, 5].map((n) => ({ _id: `d${n}`, n })))
    const settings = {
      'startup.mode': 'copy_existing',
      'startup.mode.copy.existing.pipeline': '[{"$match": {"n": {"$gt": 1}}}]',
      pipeline: '[{"$match": {"fullDocument.n": {"$ne": 3}}}]',
      'poll.max.batch.size': '2',
    }
    const first = await start(settings, offsets)
    await orders().insertOne({ _id: 'new', n: 9 })
    const copied = await first.take(3)
    expect(copied.every(({ sourceOffset }) => sourceOffset['copy'] === 'true')).toBe(true)
    expect(eventsOf(copied)[0]).toMatchObject({
      _id: { copyingData: true },
      operationType: 'insert',
      ns: { coll: 'orders' },
    })
    // A crash in the middle of it restarts the copy.
    offsets.commit(copied.slice(0, 1))
    await first.stop()
    const second = await start(settings, offsets)
    await orders().insertOne({ _id: 'newer', n: 10 })
    const seen: number[] = []
    let last: SourceRecord | undefined
    while (!seen.includes(10) || last?.sourceOffset['copy'] !== undefined) {
      const records = await second.take(1)
      last = records.at(-1)
      seen.push(...eventsOf(records).map(({ fullDocument }) => fullDocument.n as number))
    }
    expect([...new Set(seen)].sort((a, b) => a - b)).toEqual([2, 4, 5, 9, 10])
    // After the copy a restart goes on with the changes alone.
    offsets.commit([last!])
    await second.stop()
    const third = await start(settings, offsets)
    await orders().insertOne({ _id: 'newest', n: 11 })
    expect(eventsOf(await third.take(1)).map(({ fullDocument }) => fullDocument.n)).toEqual([11])
  })

  test('a copy of a database takes the collections that the regular expression names', async () => {
    const db = mongo.client.db(mongo.database)
    for (const name of ['orders', 'items', 'other']) await db.collection<any>(name).insertOne({ _id: name })
    const { Copier } = await import('../../connectors/mongodb/copier.ts')
    const { parseConfigOrThrow } = await import('@millrace/sdk')
    const copier = new Copier(
      mongo.client,
      parseConfigOrThrow(source.config, {
        'connection.uri': mongo.server.uri,
        database: mongo.database,
        'startup.mode.copy.existing.namespace.regex': String.raw`\.(orders|items)$`,
      }),
    )
    const found: unknown[] = []
    for (let next = await copier.next(10); next !== null; next = await copier.next(10)) {
      found.push(...next.map(({ documentKey }) => (documentKey as { _id: unknown })._id))
    }
    expect(new Set(found)).toEqual(new Set(['items', 'orders']))
  })

  test('heartbeats carry the place while nothing happens', async () => {
    const it = await start({ 'heartbeat.interval.ms': '1', 'heartbeat.topic.name': 'beats' })
    await orders().insertOne({ _id: 'a', n: 1 })
    const [inserted, beat] = await it.take(2)
    expect(beat).toMatchObject({ topic: 'beats', value: null, key: inserted?.sourceOffset['_id'] })
    expect(beat?.sourceOffset).toEqual({ _id: inserted?.sourceOffset['_id'], HEARTBEAT: 'true' })
  })

  test('an event that fits no record fails the task, or goes to the dead letter topic', async () => {
    const fields = [{ name: 'fullDocument.n', type: 'int' }]
    const schema = JSON.stringify({ type: 'record', name: 'R', fields })
    const settings = { 'output.format.value': 'schema', 'output.schema.value': schema }
    const strict = await start(settings)
    const lenient = await start({
      ...settings,
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': 'bad-events',
      'errors.log.enable': 'true',
    })
    const silent = await start({ ...settings, 'mongo.errors.tolerance': 'all' })
    await orders().insertMany([
      { _id: 'a', n: 'text' },
      { _id: 'b', n: 2 },
    ])
    await expect(strict.take(1)).rejects.toThrow(/fits no record: the field fullDocument\.n is of type string/)
    const [bad, good] = await lenient.take(2)
    expect(bad).toMatchObject({ topic: 'bad-events', key: '{"_id": "a"}' })
    expect(eventsOf([bad!])).toMatchObject([{ fullDocument: { n: 'text' } }])
    expect(good?.value).toEqual({ 'fullDocument.n': 2 })
    expect(lenient.lines.join()).toContain('an event fits no record')
    expect((await silent.take(1))[0]?.value).toEqual({ 'fullDocument.n': 2 })
  })

  test('bson values are the bytes of the event', async () => {
    const it = await start({ 'output.format.value': 'bson', 'output.format.key': 'bson' })
    await orders().insertOne({ _id: 'a', n: new Int32(1) })
    const [record] = await it.take(1)
    expect(BSON.deserialize(record?.key as Buffer)).toEqual({ _id: 'a' })
    expect(BSON.deserialize(record?.value as Buffer)).toMatchObject({ fullDocument: { _id: 'a', n: 1 } })
  })

  test('connections that break are made again, and no change is missed', async () => {
    const proxy = await MongoProxy.start(mongo.server)
    try {
      const it = await start({ 'connection.uri': `${proxy.uri}&serverSelectionTimeoutMS=2000` })
      await orders().insertOne({ _id: 'd0', n: 0 })
      await it.take(1)
      for (let n = 1; n < 4; n++) {
        proxy.cut()
        await orders().insertOne({ _id: `d${n}`, n })
        await it.poll()
        proxy.mend()
        expect(eventsOf(await it.take(1)).map(({ fullDocument }) => fullDocument.n)).toEqual([n])
      }
    } finally {
      proxy.stop()
    }
  })
})
