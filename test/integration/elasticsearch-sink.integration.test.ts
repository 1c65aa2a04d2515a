import { readFileSync } from 'node:fs'
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { parseConfigOrThrow, schemas, struct } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import sink from '../../connectors/elasticsearch/sink.ts'
import { createCertificates, type KeyPair, opensslMissing } from '../services/certificates.ts'
import {
  type SearchNode,
  searchServerMissing,
  type SearchServerName,
  startSearchServer,
} from '../services/elasticsearch.ts'
import { type SinkDriver, type SinkDriverOptions, startSink } from './support/sink-driver.ts'
import { until } from './worker-harness.ts'

/** Ends TLS before a server that has none, as proxies do. Gives its port. */
async function startTlsRelay({ certificate, key }: KeyPair, target: URL): Promise<number> {
  const sockets = new Set<Socket>()
  const relay = createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (socket) => {
    const onward = connectSocket(Number(target.port), target.hostname)
    socket.pipe(onward).pipe(socket)
    for (const end of [socket, onward]) {
      sockets.add(end)
      end.on('error', () => [socket, onward].forEach((one) => one.destroy()))
    }
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => relay.close(() => resolve()))
  })
  return (relay.address() as AddressInfo).port
}

const servers: readonly SearchServerName[] = ['elasticsearch-9', 'elasticsearch-8', 'opensearch']

describe.each(servers)('on %s', (name) => {
  const missing = searchServerMissing(name)
  let node: SearchNode
  const drivers: SinkDriver[] = []

  beforeAll(async () => {
    if (missing === null) node = await startSearchServer(name)
  })
  afterAll(async () => {
    for (const driver of drivers) await driver.stop()
    await node?.stop()
  })

  async function start(raw: Record<string, string> = {}, options: SinkDriverOptions = {}): Promise<SinkDriver> {
    // Tests wait for what happens, and busy machines answer late.
    const patient = { 'read.timeout.ms': '60000', 'connection.timeout.ms': '60000' }
    const driver = await startSink(sink, { 'connection.url': node.url, ...patient, ...raw }, options)
    drivers.push(driver)
    return driver
  }

  /** Everything that was sent is delivered and may be committed. */
  async function settle(driver: SinkDriver, topic: string, offset: number): Promise<void> {
    await until(`${topic} is delivered up to ${offset}`, async () => {
      const committed = await driver.commit()
      if (committed.find((each) => each.topic === topic)?.offset === offset) return true
      // Where a failure is told: the runtime calls `put` after each commit.
      await driver.put([])
      return false
    })
  }

  test.skipIf(missing !== null)('the server is recognised without being told', async () => {
    const driver = await start()
    expect(driver.lines.join()).toContain(`"server":"${name}"`)
    const raw = { 'connection.url': node.url, 'connection.timeout.ms': '60000', 'read.timeout.ms': '60000' }
    expect(await sink.validate!(parseConfigOrThrow(sink.config, raw), raw)).toEqual([])
  })

  test.skipIf(missing !== null || opensslMissing())('TLS holds the server to its authority and its name', async () => {
    const certificates = await createCertificates()
    onTestFinished(() => certificates.remove())
    const port = await startTlsRelay(certificates.server, new URL(node.url))
    const raw = { 'connection.url': `https://localhost:${port}`, 'max.retries': '0' }
    const trusted = { ...raw, 'elastic.https.ssl.truststore.location': certificates.authority }
    const driver = await start(trusted)
    await driver.send('tls', [{ key: 'a', value: { n: 1 } }])
    await settle(driver, 'tls', 1)
    expect(await node.documents('tls')).toEqual(new Map([['a', { n: 1, $version: 0 }]]))

    const otherAuthority = { 'elastic.https.ssl.truststore.location': certificates.otherAuthority }
    await expect(start({ ...raw, ...otherAuthority })).rejects.toThrow(/certificate/)
    const byAddress = { ...trusted, 'connection.url': `https://127.0.0.1:${port}` }
    await expect(start(byAddress)).rejects.toThrow(/altnames/)
    const nameless = await start({ ...byAddress, 'elastic.https.ssl.endpoint.identification.algorithm': '' })
    await nameless.send('nameless', [{ key: 'a', value: { n: 1 } }])
    await settle(nameless, 'nameless', 1)
  })

  test.skipIf(missing !== null)('documents follow their keys, and an older record changes nothing', async () => {
    const driver = await start({ 'behavior.on.null.values': 'delete' })
    const schema = struct({ name: schemas.string, amount: schemas.int64 })
    const change = (key: string, amount: bigint | null) => ({
      key,
      keySchema: schemas.string,
      value: amount === null ? null : { name: key, amount },
      valueSchema: amount === null ? null : schema,
    })
    const records = await driver.send('Stock', [
      change('a', 1n),
      change('b', 2n),
      change('a', 2n ** 62n),
      change('c', 3n),
      change('b', null),
      change('never', null),
    ])
    await settle(driver, 'Stock', 6)
    const expected = new Map([
      ['a', { name: 'a', amount: Number(2n ** 62n), $version: 2 }],
      ['c', { name: 'c', amount: 3, $version: 3 }],
    ])
    expect(await node.documents('stock')).toEqual(expected)
    const { body } = await node.request('GET', '/stock/_mapping')
    expect(body.stock.mappings.properties).toEqual({
      name: { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } },
      amount: { type: 'long' },
    })
    // All comes again, in parts, as after a crash.
    const again = await start({ 'behavior.on.null.values': 'delete', 'batch.size': '1' })
    await again.put(records)
    await settle(again, 'Stock', 6)
    expect(await node.documents('stock')).toEqual(expected)
    expect(again.reported).toEqual([])
    expect(again.lines.filter((line) => line.includes('this version or a newer one'))).toHaveLength(1)
  })

  test.skipIf(missing !== null)('a document that the server refuses goes to the queue alone', async () => {
    await node.request('PUT', '/strict', { mappings: { dynamic: 'strict', properties: { n: { type: 'integer' } } } })
    const values = [{ n: 1 }, { n: 'x' }, { n: 2 }, { other: 1 }, { n: 3 }]
    const records = values.map((value, index) => ({ key: `k${index}`, value }))
    const driver = await start()
    await driver.send('strict', [...records, { key: { id: 1 }, value: { n: 4 } }])
    await settle(driver, 'strict', 6)
    expect([...(await node.documents('strict')).keys()].toSorted()).toEqual(['k0', 'k2', 'k4'])
    const places = driver.reported.map(({ record }) => record.originalOffset)
    expect(places.toSorted((a, b) => a - b)).toEqual([1, 3, 5])
    const messages = driver.reported.map(({ error }) => error.message).join()
    expect(messages).toContain("the record (topic='strict',partition=0,offset=1) cannot be written: ")
    expect(messages).toContain('strict_dynamic_mapping_exception')
    // Without a queue it is left out as configured, or ends the task with its place.
    const warning = await start({ 'behavior.on.malformed.documents': 'warn' }, { hasQueue: false })
    await warning.send('strict', [...records, { key: 'k9', value: { n: 9 } }])
    await settle(warning, 'strict', 6)
    expect(warning.lines.filter((line) => line.includes('is left out'))).toHaveLength(2)
    const failing = await start({}, { hasQueue: false })
    await failing.send('strict', records)
    expect((await failing.commit())[0]?.offset).toBeLessThanOrEqual(1)
    // Of two that are refused in requests of their own either may be the first.
    await expect(settle(failing, 'strict', 5)).rejects.toThrow(/offset=[13]\) cannot be written: /)
  })

  test.skipIf(missing !== null)('upserts merge, in order, with any number of requests in flight', async () => {
    const driver = await start({
      'write.method': 'upsert',
      'behavior.on.null.values': 'delete',
      'batch.size': '3',
      'max.in.flight.requests': '4',
    })
    const records = Array.from({ length: 200 }, (_, index) => ({
      key: `k${index % 7}`,
      value: index % 31 === 30 ? null : { last: index, [`f${index % 3}`]: index },
    }))
    await driver.send('merged', records)
    await settle(driver, 'merged', 200)
    const expected = new Map<string, Record<string, number>>()
    for (const { key, value } of records) {
      if (value === null) expected.delete(key)
      else expected.set(key, { ...expected.get(key), ...value })
    }
    const found = await node.documents('merged')
    expect(withoutVersions(found)).toEqual(expected)
  })

  test.skipIf(missing !== null)('events go to a data stream once, though they are delivered twice', async () => {
    const template = { index_patterns: ['logs-shop-*'], data_stream: {}, priority: 500, template: {} }
    await node.request('PUT', '/_index_template/shop', template)
    const stream = { 'data.stream.type': 'logs', 'data.stream.dataset': 'shop', 'data.stream.timestamp.field': 'at' }
    const driver = await start(stream)
    const records = await driver.send('events', [
      { key: 'same', value: { at: '2024-01-01T00:00:00Z', n: 1 } },
      { key: 'same', value: { n: 2 } },
    ])
    await settle(driver, 'events', 2)
    const again = await start(stream)
    await again.put(records)
    await settle(again, 'events', 2)
    const found = [...(await node.documents('logs-shop-events')).values()]
    expect(found.map((each) => each['@timestamp'])).toEqual(['2024-01-01T00:00:00Z', 1_700_000_000_000])
    expect(again.reported).toEqual([])
  })

  test.skipIf(missing !== null)('an index that is deleted comes back with its mapping', async () => {
    const driver = await start()
    const valueSchema = struct({ code: schemas.bytes })
    const record = { key: 'a', value: { code: new Uint8Array([1]) }, valueSchema }
    await driver.send('phoenix', [record])
    await settle(driver, 'phoenix', 1)
    await node.request('PUT', '/_cluster/settings', { persistent: { 'action.auto_create_index': 'logs-*' } })
    await node.request('DELETE', '/phoenix')
    await driver.send('phoenix', [record])
    await settle(driver, 'phoenix', 2)
    const { body } = await node.request('GET', '/phoenix/_mapping')
    expect(body.phoenix.mappings.properties).toEqual({ code: { type: 'binary' } })
    await node.request('PUT', '/_cluster/settings', { persistent: { 'action.auto_create_index': null } })
  })

  test.skipIf(missing !== null)('external resources are used, and never made', async () => {
    await node.request('PUT', '/real', { aliases: { shown: {} } })
    const external = {
      'external.resource.usage': 'alias_index',
      'topic.to.external.resource.mapping': 'a:shown,b:none',
    }
    const driver = await start({ ...external, 'key.ignore': 'true', 'flush.synchronously': 'true' })
    await driver.send('a', [{ value: { n: 1 } }])
    expect([...(await node.documents('real')).keys()]).toEqual(['a+0+0'])
    await expect(driver.send('b', [{ value: { n: 1 } }])).rejects.toThrow(
      '"none" of topic.to.external.resource.mapping',
    )
  })
})

function withoutVersions(found: ReadonlyMap<string, Record<string, unknown>>): Map<string, Record<string, unknown>> {
  const fieldsOf = (document: object) => Object.entries(document).filter(([name]) => name !== '$version')
  return new Map([...found].map(([key, document]) => [key, Object.fromEntries(fieldsOf(document))]))
}
