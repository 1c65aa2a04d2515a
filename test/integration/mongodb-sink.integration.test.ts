// The sink on mongo-java-server: what it writes, what it does with records that cannot be written, and with a server
// that goes.
import { Decimal128, Double, Long } from 'mongodb'
import { Decimal, decimalSchema, schemas, type SinkRecord, struct, timestampSchema } from '@millrace/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import sink from '../../connectors/mongodb/sink.ts'
import { mongoMissing, MongoProxy } from '../services/mongo.ts'
import { useMongo } from './support/mongo-hooks.ts'
import { type SinkDriver, startSink } from './support/sink-driver.ts'
import { until } from './worker-harness.ts'

const missing = mongoMissing()

describe.skipIf(missing !== null)('MongoDB sink', () => {
  const mongo = useMongo()
  const drivers: SinkDriver[] = []
  afterEach(async () => {
    for (const driver of drivers.splice(0)) await driver.stop()
  })

  const { orders } = mongo
  const documents = (): Promise<any[]> => orders().find().sort({ _id: 1 }).toArray()

  async function start(settings: Record<string, string> = {}, hasQueue = true): Promise<SinkDriver> {
    const raw = {
      'connection.uri': mongo.server.uri,
      database: mongo.database,
      'document.id.strategy': 'KafkaMetaDataStrategy',
      'errors.tolerance': hasQueue ? 'all' : 'none',
      'retries.defer.timeout': '10',
      ...settings,
    }
    const driver = await startSink(sink, raw, { hasQueue })
    drivers.push(driver)
    return driver
  }

  /** Delivers, and waits until all of it is written or reported: the offset that may be committed. */
  async function send(driver: SinkDriver, records: readonly Partial<SinkRecord>[], topic = 'orders'): Promise<number> {
    const sent = await driver.send(topic, records)
    return settle(driver, sent.at(-1)!.originalOffset + 1)
  }

  /** Commits until this offset may be committed, or until the task says why it ends. */
  async function settle(driver: SinkDriver, wanted: number): Promise<number> {
    // A commit waits for seconds only, and busy servers answer later.
    await until(`offset ${wanted} may be committed`, async () => {
      const [offset] = await driver.commit()
      await driver.put([])
      return offset?.offset === wanted
    })
    return wanted
  }

  test('structs, maps, JSON and BSON become documents with the types that they have', async () => {
    const driver = await start()
    const valueSchema = struct({
      long: schemas.int64,
      double: schemas.float64,
      amount: decimalSchema(2),
      at: timestampSchema(),
    })
    const value = { long: 5n, double: 2, amount: new Decimal(1250n, 2), at: new Date(1000) }
    const bson = (await import('mongodb')).BSON.serialize({ b: new Double(3) })
    await send(driver, [
      { value, valueSchema },
      { value: new Map([['m', 'x']]) },
      { value: '{"j": {"$numberDecimal": "1.5"}}' },
      { value: bson },
    ])
    const found = await orders().find({}, { promoteValues: false }).sort({ _id: 1 }).toArray()
    expect(found).toEqual([
      {
        _id: 'orders#0#0',
        long: Long.fromNumber(5),
        double: new Double(2),
        amount: Decimal128.fromString('12.50'),
        at: new Date(1000),
      },
      { _id: 'orders#0#1', m: 'x' },
      { _id: 'orders#0#2', j: Decimal128.fromString('1.5') },
      { _id: 'orders#0#3', b: new Double(3) },
    ])
  })

  test('an _id that is null is one, which the driver would replace', async () => {
    const ids = { 'document.id.strategy': 'BsonOidStrategy', 'writemodel.strategy': 'InsertOneDefaultStrategy' }
    await send(await start(ids), [{ value: '{"_id": null, "n": 1}' }])
    expect(await documents()).toEqual([{ _id: null, n: 1 }])
  })

  test('upserts and deletes of a key are done in the order of the topic', async () => {
    const driver = await start({
      'document.id.strategy': 'FullKeyStrategy',
      'delete.on.null.values': 'true',
      'bulk.write.ordered': 'false',
    })
    const key = (id: string) => ({ id })
    const offset = await send(driver, [
      { key: key('a'), value: { n: 1 } },
      { key: key('a'), value: null },
      { key: key('a'), value: { n: 2 } },
      { key: key('b'), value: { n: 3 } },
      { key: key('b'), value: null },
      { key: key('c'), value: null },
    ])
    expect(offset).toBe(6)
    expect(await documents()).toEqual([{ _id: { id: 'a' }, n: 2 }])
  })

  test.each(['true', 'false'])(
    'of a bulk with ordered=%s only the bad records go to the dead letter queue',
    async (ordered) => {
      await orders().createIndex({ n: 1 }, { unique: true })
      const driver = await start({ 'bulk.write.ordered': ordered })
      const values = [{ n: 1 }, { n: 2 }, { n: 1 }, { n: 3 }, 'no json', { n: 2 }, { n: 4 }]
      expect(
        await send(
          driver,
          values.map((value) => ({ value })),
        ),
      ).toBe(7)
      expect((await documents()).map(({ n }) => n)).toEqual([1, 2, 3, 4])
      expect(driver.reported.map(({ record }) => record.offset).sort((a, b) => a - b)).toEqual([2, 4, 5])
      expect(driver.reported.find(({ record }) => record.offset === 2)?.error.message).toMatch(/offset=2.*E11000/)
    },
  )

  test('without tolerance the first bad record fails the task, and its offset is not committed', async () => {
    await orders().createIndex({ n: 1 }, { unique: true })
    const driver = await start({}, false)
    await driver.send('orders', [{ value: { n: 1 } }, { value: { n: 1 } }, { value: { n: 2 } }])
    const [committed] = await driver.commit()
    expect(committed?.offset).toBeLessThanOrEqual(1)
    await expect(settle(driver, 3)).rejects.toThrow(/offset=1.*cannot be written.*E11000/)
  })

  test('mongo.errors.tolerance goes before errors.tolerance', async () => {
    await orders().createIndex({ n: 1 }, { unique: true })
    const all = await start({ 'mongo.errors.tolerance': 'all', 'mongo.errors.log.enable': 'true' }, false)
    expect(await send(all, [{ value: { n: 1 } }, { value: { n: 1 } }, { value: 'no json' }])).toBe(3)
    expect(all.lines.filter((line) => line.includes('cannot be written'))).toHaveLength(2)
    // As in the original: data passes over what the server refuses too.
    const data = await start({ 'mongo.errors.tolerance': 'data' }, false)
    expect(await send(data, [{ value: 'no json' }, { value: { n: 1 } }, { value: { n: 2 } }])).toBe(3)
    expect((await documents()).map(({ n }) => n)).toEqual([1, 2])
    const none = await start({ 'mongo.errors.tolerance': 'none' })
    await none.send('orders', [{ value: 'no json' }])
    await expect(settle(none, 1)).rejects.toThrow('cannot be written')
  })

  test('an insert that is repeated, because its answer was lost, is not written twice and is no error', async () => {
    const insert = { 'writemodel.strategy': 'InsertOneDefaultStrategy' }
    const driver = await start(insert)
    const records = await driver.send('orders', [{ value: { n: 1 } }, { value: { n: 2 } }])
    await settle(driver, 2)
    // As after a crash: the ids are of the records' places.
    await driver.put(records)
    await settle(driver, 2)
    expect(driver.reported).toEqual([])
    expect(await documents()).toHaveLength(2)
    // An id of the value says nothing of the kind.
    expect(await send(driver, [{ value: { _id: 'orders#0#0' } }])).toBe(3)
    expect(driver.reported).toHaveLength(1)
  })

  test('a server that goes and comes back costs nothing; one that stays away fails the task', async () => {
    const proxy = await MongoProxy.start(mongo.server)
    try {
      const uri = `${proxy.uri}&serverSelectionTimeoutMS=2000`
      const driver = await start({ 'connection.uri': uri, 'max.num.retries': '1000' })
      await send(driver, [{ value: { n: 1 } }])
      proxy.cut()
      await driver.send('orders', [{ value: { n: 2 } }])
      expect((await driver.commit())[0]?.offset).toBe(1)
      proxy.mend()
      expect(await settle(driver, 2)).toBe(2)
      expect((await documents()).map(({ n }) => n)).toEqual([1, 2])
      const hasty = await start({ 'connection.uri': uri, 'max.num.retries': '1' })
      proxy.cut()
      await hasty.send('orders', [{ value: { n: 3 } }])
      await expect(settle(hasty, 99)).rejects.toThrow(/a write failed and so did 1 retries/)
    } finally {
      proxy.stop()
    }
  })

  test('bulks are as large as max.batch.size says, and the task pauses as rate.limiting says', async () => {
    const pauseMs = 150
    const driver = await start({
      'topic.override.orders.max.batch.size': '2',
      'topic.override.orders.rate.limiting.every.n': '2',
      'topic.override.orders.rate.limiting.timeout': String(pauseMs),
    })
    const startMs = performance.now()
    await send(
      driver,
      Array.from({ length: 10 }, (_, n) => ({ value: { n } })),
    )
    // Five bulks with a pause after the second and the fourth.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(2 * pauseMs - 20)
    expect(await documents()).toHaveLength(10)
  })

  test('a time series collection is made, and one that is none is refused', async () => {
    const settings = {
      'timeseries.timefield': 'at',
      'timeseries.metafield': 'sensor',
      'timeseries.granularity': 'seconds',
      'timeseries.expire.after.seconds': '3600',
      'timeseries.timefield.auto.convert': 'true',
    }
    const driver = await start(settings)
    expect(await send(driver, [{ value: { at: 1000, sensor: 'a', v: 1 } }])).toBe(1)
    expect(await documents()).toEqual([{ _id: 'orders#0#0', at: new Date(1000), sensor: 'a', v: 1 }])
    // mongo-java-server forgets that it is one, so it is an ordinary collection for the next task.
    const next = await start(settings)
    await next.send('orders', [{ value: { at: 1000 } }])
    await expect(settle(next, 1)).rejects.toThrow(/orders exists and is no time series/)
  })

  test('an update event with truncatedArrays is repeated on the server', async () => {
    await orders().insertOne({ _id: 'a', items: [1, 2, 3, 4], old: 1 })
    const handler = 'com.mongodb.kafka.connect.sink.cdc.mongodb.ChangeStreamHandler'
    const driver = await start({ 'change.data.capture.handler': handler })
    const updateDescription = {
      updatedFields: { n: 5 },
      removedFields: ['old'],
      truncatedArrays: [{ field: 'items', newSize: 2 }],
    }
    await send(driver, [{ value: { operationType: 'update', documentKey: { _id: 'a' }, updateDescription } }])
    expect(await documents()).toEqual([{ _id: 'a', items: [1, 2], n: 5 }])
  })

  test('updates with time stamps keep the time of the insert', async () => {
    const driver = await start({
      'document.id.strategy': 'PartialValueStrategy',
      'document.id.strategy.partial.value.projection.type': 'allowlist',
      'document.id.strategy.partial.value.projection.list': 'id',
      'document.id.strategy.overwrite.existing': 'true',
      'writemodel.strategy': 'UpdateOneBusinessKeyTimestampStrategy',
    })
    await send(driver, [{ value: { id: 'x', n: 1 } }])
    const [first] = await documents()
    await send(driver, [{ value: { id: 'x', m: 2 } }])
    const [second, ...others] = await documents()
    expect(others).toEqual([])
    expect(second).toMatchObject({ id: 'x', n: 1, m: 2, _insertedTS: first._insertedTS })
    expect(second._modifiedTS.getTime()).toBeGreaterThanOrEqual(first._modifiedTS.getTime())
  })

  test('validation names what is wrong and reaches for the server', async () => {
    const { parseConfigOrThrow } = await import('@millrace/sdk')
    const issuesOf = async (raw: Record<string, string>) =>
      (await sink.validate?.(parseConfigOrThrow(sink.config, raw), raw)) ?? []
    expect(await issuesOf({ 'connection.uri': mongo.server.uri, database: mongo.database })).toEqual([])
    expect(await issuesOf({ 'connection.uri': 'mongodb://127.0.0.1:1', database: mongo.database })).toEqual([
      { key: 'connection.uri', message: expect.stringContaining('cannot be reached') },
    ])
  })
})
