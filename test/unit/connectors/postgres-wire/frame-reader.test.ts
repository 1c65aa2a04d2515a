import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameReader } from '../../../../connectors/_shared/postgres-wire/frame-reader.ts'
import '../../property-settings.ts'

function message(type: number, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(5 + body.length)
  bytes[0] = type
  bytes.writeInt32BE(4 + body.length, 1)
  bytes.set(body, 5)
  return bytes
}

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return places.slice(1).map((end, index) => Buffer.from(bytes.subarray(places[index], end)))
}

test('messages are the same however the bytes are cut and whenever the reader pauses', () => {
  const body = fc.uint8Array({ maxLength: 40 })
  fc.assert(
    fc.property(
      fc.array(body, { maxLength: 12 }),
      fc.array(fc.nat(600)),
      fc.integer({ min: 1, max: 5 }),
      (bodies, cuts, every) => {
        const seen: string[] = []
        const kept: { buffer: Buffer; start: number; end: number }[] = []
        const reader = new FrameReader((type, buffer, start, end) => {
          seen.push(`${type} ${buffer.toString('hex', start, end)}`)
          kept.push({ buffer, start, end })
          if (seen.length % every === 0) reader.pause()
        })
        for (const chunk of cut(Buffer.concat(bodies.map((each, index) => message(65 + index, each))), cuts)) {
          reader.push(chunk)
          if (chunk.length % 2 === 0) reader.resume()
        }
        while (reader.buffered > 0) reader.resume()
        const expected = bodies.map((each, index) => `${65 + index} ${Buffer.from(each).toString('hex')}`)
        expect(seen).toEqual(expected)
        // What was handed out stays as it was.
        expect(
          kept.map(({ buffer, start, end }, index) => `${65 + index} ${buffer.toString('hex', start, end)}`),
        ).toEqual(expected)
      },
    ),
  )
})

test('a message inside one chunk is a view of it, and one that spans chunks is copied alone', () => {
  const views: Buffer[] = []
  const reader = new FrameReader((_, buffer) => void views.push(buffer))
  const bytes = Buffer.concat([
    message(1, Buffer.alloc(10)),
    message(2, Buffer.alloc(10)),
    message(3, Buffer.alloc(10)),
  ])
  const [first, second] = [Buffer.from(bytes.subarray(0, 20)), Buffer.from(bytes.subarray(20))]
  reader.push(first)
  reader.push(second)
  expect(views[0]?.buffer).toBe(first.buffer)
  expect(views[1]).toHaveLength(15)
  expect(views[2]?.buffer).toBe(second.buffer)
})

test('a length that cannot be is refused, also when the header comes in pieces', () => {
  for (const length of [0, 3, -1, 0x7fffffff]) {
    const header = Buffer.alloc(5)
    header.writeInt32BE(length, 1)
    for (const place of [5, 2]) {
      const reader = new FrameReader(() => undefined)
      expect(() => {
        for (const chunk of [header.subarray(0, place), header.subarray(place)]) reader.push(chunk)
      }).toThrow(`message length ${length}`)
    }
  }
})
