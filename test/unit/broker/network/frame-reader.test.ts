import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FramePool } from '../../../../src/broker/network/frame-pool.ts'
import { type Frame, FrameReader } from '../../../../src/broker/network/frame-reader.ts'
import { type MemoryUser, RequestMemory } from '../../../../src/broker/network/request-memory.ts'
import { ProtocolError } from '../../../../src/protocol/index.ts'
import '../../property-settings.ts'

function framed(body: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

describe('frames', () => {
  test('come out as they went in, however the bytes are cut, in a buffer that is filled again each time', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 9000 }), { maxLength: 8 })
    fc.assert(
      fc.property(
        bodies,
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }),
        (given, cuts) => {
          const found: Buffer[] = []
          const pool = new FramePool(1 << 20)
          const reader = new FrameReader({
            pool,
            maxFrameBytes: 10_000,
            onFrame: ({ bytes, pooled }: Frame) => {
              found.push(Buffer.from(bytes))
              if (pooled !== undefined) pool.give(pooled.fill(0xee))
            },
          })
          const stream = Buffer.concat(given.map(framed))
          const receive = Buffer.alloc(5000)
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = Math.min(cuts[i % cuts.length]!, stream.length - at)
            receive.fill(0xdd)
            stream.copy(receive, 0, at, at + size)
            reader.push(receive.subarray(0, size))
            at += size
          }
          expect(found.map((body) => body.toString('hex'))).toEqual(
            given.map((body) => Buffer.from(body).toString('hex')),
          )
          expect(reader.pendingBytes).toBe(0)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('larger than what is trusted at first grow with their bytes', () => {
    const body = Buffer.alloc(3_000_000, 7)
    const found: number[] = []
    const reader = new FrameReader({
      pool: new FramePool(1 << 20),
      maxFrameBytes: 4_000_000,
      onFrame: ({ bytes }) => found.push(bytes.equals(body) ? bytes.length : -1),
    })
    const stream = framed(body)
    for (let at = 0; at < stream.length; at += 65_536) reader.push(stream.subarray(at, at + 65_536))
    expect(found).toEqual([3_000_000])
  })

  test.each([-1, 101])('a size of %i is refused', (size) => {
    const reader = new FrameReader({ pool: new FramePool(0), maxFrameBytes: 100, onFrame: () => {} })
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(size)
    expect(() => reader.push(bytes)).toThrow(ProtocolError)
  })

  test('the pool keeps no more than its limit and gives back what fits', () => {
    const pool = new FramePool(100_000)
    const buffers = [pool.take(60_000), pool.take(60_000)]
    expect(buffers.map((buffer) => buffer.length)).toEqual([65_536, 65_536])
    for (const buffer of buffers) pool.give(buffer)
    expect(pool.freeBytes).toBe(65_536)
    expect(pool.take(40_000)).toBe(buffers[0])
    expect(pool.take(2_000_000)).toHaveLength(2_000_000)
  })
})

describe('the memory of requests', () => {
  class User implements MemoryUser {
    partialBytes = 0
    paused = false
    setMemoryPaused(paused: boolean): void {
      this.paused = paused
    }
  }

  test('over the limit readers wait until requests are done', () => {
    const memory = new RequestMemory(100)
    const [a, b] = [new User(), new User()]
    memory.requestStarted(a)
    memory.received(a, 90)
    b.partialBytes = 20
    memory.received(b, 20)
    expect([a.paused, b.paused]).toEqual([false, true])
    memory.requestDone(90)
    expect(b.paused).toBe(false)
    expect(memory.usedBytes).toBe(20)
  })

  test('when nothing is worked on, the longest unfinished request may go on', () => {
    const memory = new RequestMemory(100)
    const users = [new User(), new User(), new User()]
    for (const [i, user] of users.entries()) {
      user.partialBytes = 60 + i
      memory.received(user, 60 + i)
    }
    expect(users.filter((user) => !user.paused).length).toBeGreaterThan(0)
    memory.userGone(users[0]!, 60)
    expect(users.slice(1).some((user) => !user.paused)).toBe(true)
  })

  test('without a limit nobody waits', () => {
    const memory = new RequestMemory(-1)
    const user = new User()
    memory.received(user, 2 ** 40)
    expect(user.paused).toBe(false)
  })
})
