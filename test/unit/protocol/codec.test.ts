import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Api, apis, ProtocolError, records } from '../../../src/protocol/index.ts'
import { type Message, messageArbitrary } from './message-arbitrary.ts'
import '../property-settings.ts'

interface Case {
  name: string
  version: number
  encode(message: Message): Buffer
  decode(bytes: Buffer): Message
}

function casesOf(api: Api<any, any>): Case[] {
  const [min, max] = api.validVersions
  return Array.from({ length: max - min + 1 }, (_, index) => index + min).flatMap((version) => [
    {
      name: `${api.name}Request`,
      version,
      encode: (message: Message) => api.encodeRequest(version, message),
      decode: (bytes: Buffer) => api.decodeRequest(version, bytes),
    },
    {
      name: `${api.name}Response`,
      version,
      encode: (message: Message) => api.encodeResponse(version, message),
      decode: (bytes: Buffer) => api.decodeResponse(version, bytes),
    },
  ])
}

/** Elements of all arrays in a message. */
function elements(value: unknown): number {
  if (Array.isArray(value)) return value.length + value.reduce((sum: number, item) => sum + elements(item), 0)
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return 0
  return Object.values(value).reduce((sum: number, item) => sum + elements(item), 0)
}

function decodeOrRefuse(one: Case, bytes: Buffer): void {
  try {
    const message = one.decode(bytes)
    expect(elements(message)).toBeLessThanOrEqual(bytes.length)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
  }
}

describe.each(Object.values(apis).map((api) => [api.name, api as Api<any, any>] as const))('%s', (_, api) => {
  const cases = casesOf(api)

  test('every version round-trips in both directions', () => {
    for (const one of cases) {
      fc.assert(
        fc.property(messageArbitrary(one.name, one.version), (message) => {
          const bytes = one.encode(message)
          const decoded = one.decode(bytes)
          expect(decoded).toMatchObject(message)
          expect(one.encode(decoded).equals(bytes)).toBe(true)
        }),
        { numRuns: 10 },
      )
    }
  })

  test('arbitrary bytes are decoded or refused, never more than they can hold', () => {
    for (const one of cases) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => decodeOrRefuse(one, Buffer.from(bytes))),
        { numRuns: 15 },
      )
    }
  })

  test('a valid message with changed or missing bytes is decoded or refused', () => {
    for (const one of cases) {
      const damaged = fc.tuple(messageArbitrary(one.name, one.version), fc.nat(), fc.nat(255), fc.boolean())
      fc.assert(
        fc.property(damaged, ([message, place, byte, cut]) => {
          const bytes = one.encode(message)
          const at = bytes.length === 0 ? 0 : place % bytes.length
          if (bytes.length > 0) bytes[at] = byte
          decodeOrRefuse(one, cut ? bytes.subarray(0, at) : bytes)
        }),
        { numRuns: 10 },
      )
    }
  })
})

describe.each(Object.entries(records))('record %s', (_, codec) => {
  test('every version round-trips behind its prefix', () => {
    for (let version = codec.validVersions[0]; version <= codec.validVersions[1]; version++) {
      fc.assert(
        fc.property(messageArbitrary(codec.name, version), (message) => {
          const bytes = codec.encode(message, version)
          expect(bytes.readInt16BE(0)).toBe(codec.prefix === 'version' ? version : codec.prefix)
          expect(codec.decode(bytes).message).toMatchObject(message)
        }),
        { numRuns: 10 },
      )
    }
  })
})

describe('encoding', () => {
  test('fields left out are written with their default', () => {
    const decoded = apis.fetch.decodeRequest(12, apis.fetch.encodeRequest(12, { topics: [{ topic: 't' }] }))
    expect(decoded.maxBytes).toBe(0x7fffffff)
    expect(decoded.topics[0]!.partitions).toEqual([])
    expect(decoded.clusterId).toBeNull()
  })

  test('a request value that the version cannot carry is refused by name', () => {
    const message = { groupId: 'g', groupInstanceId: 'static' }
    expect(() => apis.heartbeat.encodeRequest(1, message)).toThrow('Heartbeat v1: groupInstanceId')
    expect(() => apis.heartbeat.encodeRequest(3, message)).not.toThrow()
  })

  test('null where the version has none is refused by name', () => {
    expect(() => apis.metadata.encodeRequest(0, { topics: null })).toThrow('topics must not be null')
  })

  test('a number outside its type is refused', () => {
    expect(() => apis.metadata.encodeResponse(1, { controllerId: 2 ** 31 })).toThrow('2147483648 is not an int32')
    expect(() => apis.deleteRecords.encodeRequest(0, { timeoutMs: 1.5 })).toThrow('1.5 is not an int32')
    const offset = { topics: [{ partitions: [{ offset: 2 ** 53 }] }] }
    expect(() => apis.deleteRecords.encodeRequest(0, offset)).toThrow(ProtocolError)
  })

  test('a version outside the range is refused', () => {
    expect(() => apis.produce.encodeRequest(2, {})).toThrow('ProduceRequest has versions 3 to 13, not 2')
  })
})

describe('frames', () => {
  const payload = Buffer.alloc(5000, 7)
  const request = { acks: -1, topicData: [{ name: 't', partitionData: [{ index: 0, records: payload }] }] }

  test('large byte fields are passed on uncopied and the bytes equal the plain encoding', () => {
    const parts = apis.produce.requestFrame(9, { correlationId: 5, clientId: 'c' }, request)
    expect(parts.some((part) => part === payload)).toBe(true)
    const whole = Buffer.concat(parts)
    expect(whole.readInt32BE(0)).toBe(whole.length - 4)
    expect(whole.subarray(4 + 8 + 2 + 1 + 1).equals(apis.produce.encodeRequest(9, request))).toBe(true)
  })

  test('a decoded byte field is a view of the received buffer', () => {
    const bytes = apis.produce.encodeRequest(9, request)
    const records = apis.produce.decodeRequest(9, bytes).topicData[0]!.partitionData[0]!.records!
    expect(records.buffer).toBe(bytes.buffer)
    expect(records.equals(payload)).toBe(true)
  })
})
