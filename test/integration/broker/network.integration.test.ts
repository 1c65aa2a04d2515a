import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apis, ErrorCode } from '../../../src/protocol/index.ts'
import { BrokerUnderTest, fetchOne, produceValues, valuesOf } from './broker-under-test.ts'
import { batchOf, RawClient } from './raw-client.ts'

let broker: BrokerUnderTest

beforeAll(async () => {
  broker = await BrokerUnderTest.start({ 'socket.request.max.bytes': '1000000', 'max.connections': '50' })
})
afterAll(() => broker[Symbol.asyncDispose]())

async function isAlive(): Promise<boolean> {
  const client = await broker.connect()
  const { errorCode } = await client.call(apis.apiVersions, 0, {})
  client.close()
  return errorCode === ErrorCode.NONE
}

function frame(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

function header(apiKey: number, apiVersion: number, clientId: string | null = 'c'): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeInt16BE(apiKey, 0)
  fixed.writeInt16BE(apiVersion, 2)
  fixed.writeInt32BE(1234, 4)
  fixed.writeInt16BE(clientId === null ? -1 : clientId.length, 8)
  return Buffer.concat([fixed, Buffer.from(clientId ?? '')])
}

describe('ApiVersions', () => {
  test('lists the APIs with the ranges of Kafka 4.3, Produce from 0', async () => {
    const client = await broker.connect()
    const { apiKeys } = await client.call(apis.apiVersions, 0, {})
    const ranges = Object.fromEntries(apiKeys.map((api) => [api.apiKey, [api.minVersion, api.maxVersion]]))
    expect(ranges[0]).toEqual([0, 13])
    expect(ranges[1]).toEqual([4, 17])
    expect(ranges[3]).toEqual([0, 13])
    expect(ranges[11]).toEqual([0, 9])
    expect(ranges[18]).toEqual([0, 4])
    // Not before transactions and the new group protocol are true.
    for (const key of [24, 25, 26, 28, 68, 69]) expect(ranges[key]).toBeUndefined()
  })

  test('an unknown version is answered in version 0 with error 35 and the ranges', async () => {
    const client = await broker.connect()
    client.write(frame(header(18, 99), Buffer.from([0, 1, 1, 0])))
    const answer = await client.nextFrame()
    expect(answer.readInt32BE(0)).toBe(1234)
    const message = apis.apiVersions.decodeResponse(0, answer, 4)
    expect(message.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
    expect(message.apiKeys.length).toBeGreaterThan(20)
    // The connection lives on, for the client to ask again.
    expect((await client.call(apis.apiVersions, 3, SOFTWARE)).errorCode).toBe(0)
  })

  test('the flexible answer has no flexible header, and the header without a client id is understood', async () => {
    const client = await broker.connect()
    const answer = await client.call(apis.apiVersions, 4, SOFTWARE, null)
    expect(answer.errorCode).toBe(ErrorCode.NONE)
    expect(answer.finalizedFeatures).toEqual([])
  })

  test('software names that are none are refused', async () => {
    const client = await broker.connect()
    const answer = await client.call(apis.apiVersions, 3, { clientSoftwareName: '-x', clientSoftwareVersion: '1' })
    expect(answer.errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })
})

const SOFTWARE = { clientSoftwareName: 'raw-client', clientSoftwareVersion: '1.0' }

describe('bad input closes the connection and nothing else', () => {
  test('random bytes, many times', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const client = await broker.connect()
      // As random as they come, and the same every time.
      const noise = Buffer.concat(
        Array.from({ length: 30 }, (_, i) => createHash('sha256').update(`${seed}/${i}`).digest()),
      )
      client.write(seed % 2 === 0 ? noise : frame(noise))
      if (seed % 2 === 1 || noise.readInt32BE(0) < 0 || noise.readInt32BE(0) > 1_000_000) await client.closed
      client.close()
    }
    expect(await isAlive()).toBe(true)
  })

  test('garbage behind a valid header, for every API and version', async () => {
    const { apiKeys } = await (await broker.connect()).call(apis.apiVersions, 0, {})
    for (const { apiKey, maxVersion } of apiKeys) {
      const client = await broker.connect()
      const noise = Buffer.concat(
        Array.from({ length: 8 }, (_, i) => createHash('sha256').update(`${apiKey}-${i}`).digest()),
      )
      client.write(frame(header(apiKey, maxVersion), noise))
      // Some APIs have an empty request, and answer; others must close.
      await Promise.race([client.closed, client.nextFrame().catch(() => {})])
      client.close()
    }
    expect(await isAlive()).toBe(true)
  })

  test('a frame larger than socket.request.max.bytes, with a line in the log', async () => {
    const client = await broker.connect()
    client.write(Buffer.from([0x7f, 0xff, 0xff, 0xff]))
    await client.closed
    expect(broker.complaints.some((line) => line.includes('frame of 2147483647 bytes'))).toBe(true)
  })

  test('an unknown API and an unknown version of a known one', async () => {
    for (const bytes of [frame(header(999, 0)), frame(header(3, 99)), frame(header(0, 14))]) {
      const client = await broker.connect()
      client.write(bytes)
      await client.closed
    }
    expect(broker.complaints.some((line) => line.includes('API key 999'))).toBe(true)
    expect(broker.complaints.some((line) => line.includes('Metadata is served in versions 0 to 13, not 99'))).toBe(true)
  })

  test('Produce 0 to 2 are listed and answered with error 35 for every partition', async () => {
    const client = await broker.connect()
    const topics = Buffer.from(
      '00000001 000161 00000002 00000000 00000002 abcd 00000005 00000000'.replaceAll(' ', ''),
      'hex',
    )
    const body = Buffer.concat([Buffer.from('0001000003e8', 'hex'), topics])
    for (const version of [0, 1, 2]) {
      client.write(frame(header(0, version), body))
      const answer = await client.nextFrame()
      expect(answer.readInt32BE(0)).toBe(1234)
      // One topic "a" with two partitions: index, error, offset.
      expect(answer.subarray(4, 15).toString('hex')).toBe('0000000100016100000002')
      expect([answer.readInt32BE(15), answer.readInt16BE(19)]).toEqual([0, ErrorCode.UNSUPPORTED_VERSION])
      expect(answer.length).toBe(15 + 2 * (14 + (version === 2 ? 8 : 0)) + (version >= 1 ? 4 : 0))
    }
  })

  test('an array that claims more elements than the frame has bytes', async () => {
    const client = await broker.connect()
    client.write(frame(header(3, 1), Buffer.from([0x7f, 0xff, 0xff, 0xff])))
    await client.closed
    expect(await isAlive()).toBe(true)
  })
})

describe('connections', () => {
  test('a request that arrives byte by byte is understood', async () => {
    const client = await broker.connect()
    const bytes = Buffer.concat(apis.metadata.requestFrame(9, { correlationId: 7, clientId: 'slow' }, { topics: [] }))
    for (const byte of bytes) {
      client.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await client.receive(apis.metadata, 9)).correlationId).toBe(7)
  })

  test('many requests in one packet are answered in their order', async () => {
    const client = await broker.connect()
    const parts: Buffer[] = []
    for (let correlationId = 0; correlationId < 200; correlationId++) {
      parts.push(...apis.metadata.requestFrame(9, { correlationId, clientId: 'many' }, { topics: [] }))
    }
    client.write(Buffer.concat(parts))
    for (let i = 0; i < 200; i++) expect((await client.receive(apis.metadata, 9)).correlationId).toBe(i)
  })

  test('more than max.connections are refused', async () => {
    await using small = await BrokerUnderTest.start({ 'max.connections': '2' })
    const first = await small.connect()
    const second = await small.connect()
    await first.call(apis.apiVersions, 0, {})
    await second.call(apis.apiVersions, 0, {})
    const third = await RawClient.open(small.port)
    await third.closed
    expect((await first.call(apis.apiVersions, 0, {})).errorCode).toBe(0)
  })

  test('several listeners answer with their own advertised addresses', async () => {
    await using two = await BrokerUnderTest.start({
      listeners: 'INSIDE://127.0.0.1:0,OUTSIDE://127.0.0.1:0',
      'advertised.listeners': 'OUTSIDE://kafka.example:9094',
      'listener.security.protocol.map': 'INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT',
    })
    const [inside, outside] = two.broker.listeners
    const ask = async (port: number) => {
      const client = await RawClient.open(port)
      const { brokers } = await client.call(apis.metadata, 9, { topics: [] })
      client.close()
      return [brokers[0]!.host, brokers[0]!.port]
    }
    expect(await ask(inside!.boundPort)).toEqual(['127.0.0.1', inside!.boundPort])
    expect(await ask(outside!.boundPort)).toEqual(['kafka.example', 9094])
  })

  test('memory of requests is bounded: with everything held by half-sent requests, whole ones still get through', async () => {
    await using tight = await BrokerUnderTest.start({ 'queued.max.request.bytes': '200000' })
    await tight.createTopic('tight')
    // Ten clients each announce 100 kB and send most of it: together more than may be held.
    const stuck = Array.from({ length: 10 }, () => connect({ host: '127.0.0.1', port: tight.port }))
    const request = Buffer.concat(
      apis.produce.requestFrame(
        9,
        { correlationId: 1, clientId: 'stuck' },
        {
          acks: -1,
          timeoutMs: 1000,
          topicData: [{ name: 'tight', partitionData: [{ index: 0, records: batchOf(['x'.repeat(100_000)]) }] }],
        },
      ),
    )
    const answered = stuck.map(
      (socket) => new Promise<number>((resolve) => socket.once('data', (data) => resolve(data.readInt32BE(4)))),
    )
    for (const socket of stuck) {
      socket.on('error', () => {})
      socket.write(request.subarray(0, request.length - 10))
    }
    for (const socket of stuck) socket.write(request.subarray(request.length - 10))
    expect(await Promise.all(answered)).toEqual(Array(10).fill(1))
    for (const socket of stuck) socket.destroy()
    const reader = await tight.connect()
    expect((await fetchOne(reader, 'tight', 0)).highWatermark).toBe(10)
  })

  test('a stop answers what was begun and leaves a clean data directory', async () => {
    await using stopping = await BrokerUnderTest.start()
    await stopping.createTopic('stop')
    const writer = await stopping.connect()
    await produceValues(writer, 'stop', ['before'])
    const reader = await stopping.connect()
    const waiting = fetchOne(reader, 'stop', 1, { maxWaitMs: 600_000 })
    // Answered after the fetch has begun to wait, because the same connection answers in order.
    await writer.call(apis.metadata, 9, { topics: [] })
    await stopping.restart()
    expect((await waiting).records?.length ?? 0).toBe(0)
    const client = await stopping.connect()
    expect(valuesOf((await fetchOne(client, 'stop', 0)).records)).toEqual(['before'])
    expect(stopping.complaints.filter((line) => line.includes('recover'))).toEqual([])
  })
})
