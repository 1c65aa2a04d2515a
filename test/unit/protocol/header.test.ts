import { describe, expect, test } from 'vitest'
import { apiByKey, apis, Reader, requestHeader, responseHeader, Writer } from '../../../src/protocol/index.ts'

describe('request header', () => {
  test('a null client id is carried by both versions, and version 2 still has its tagged fields', () => {
    for (const version of [1, 2] as const) {
      const writer = new Writer()
      writer.start(false)
      const header = { apiKey: 3, apiVersion: 9, correlationId: 77, clientId: null }
      requestHeader.encode(writer, header, version)
      const bytes = writer.finish()
      expect(bytes.length).toBe(version === 1 ? 10 : 11)
      const reader = new Reader(bytes)
      expect(requestHeader.decode(reader, version)).toEqual(header)
      expect(reader.position).toBe(bytes.length)
      expect(requestHeader.peek(bytes)).toEqual({ apiKey: 3, apiVersion: 9, correlationId: 77 })
    }
  })

  test('unknown tagged fields are skipped', () => {
    const bytes = Buffer.from([0, 3, 0, 9, 0, 0, 0, 1, 0xff, 0xff, 1, 42, 3, 1, 2, 3, 99])
    const reader = new Reader(bytes)
    requestHeader.decode(reader, 2)
    expect(reader.int8()).toBe(99)
  })
})

describe('header versions', () => {
  test('follow the flexible versions of the API', () => {
    expect(apis.metadata.requestHeaderVersion(8)).toBe(1)
    expect(apis.metadata.requestHeaderVersion(9)).toBe(2)
    expect(apis.metadata.responseHeaderVersion(9)).toBe(1)
    expect(apis.saslHandshake.requestHeaderVersion(1)).toBe(1)
    expect(apis.offsetDelete.responseHeaderVersion(0)).toBe(0)
  })

  test('an ApiVersions answer always has header 0', () => {
    expect(apis.apiVersions.requestHeaderVersion(4)).toBe(2)
    expect(apis.apiVersions.responseHeaderVersion(4)).toBe(0)
    const [frame] = apis.apiVersions.responseFrame(4, 9, { errorCode: 35 })
    expect(responseHeader.decode(new Reader(frame!, 4), 0)).toBe(9)
    expect(apis.apiVersions.decodeResponse(4, frame!, 8).errorCode).toBe(35)
  })

  test('an API is found by its key', () => {
    expect(apiByKey(18)).toBe(apis.apiVersions)
    expect(apiByKey(4)).toBeUndefined()
  })
})
