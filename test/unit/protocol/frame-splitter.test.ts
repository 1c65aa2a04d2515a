import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameSplitter, ProtocolError } from '../../../src/protocol/index.ts'
import '../property-settings.ts'

function framed(payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + payload.length)
  frame.writeInt32BE(payload.length)
  frame.set(payload, 4)
  return frame
}

function collect(maxFrameBytes = 1 << 20): { frames: Buffer[]; splitter: FrameSplitter } {
  const frames: Buffer[] = []
  return { frames, splitter: new FrameSplitter({ maxFrameBytes, onFrame: (frame) => frames.push(frame) }) }
}

describe('FrameSplitter', () => {
  test('gives the same frames however the stream is cut', () => {
    const stream = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 })
    fc.assert(
      fc.property(stream, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (payloads, cuts) => {
        const bytes = Buffer.concat(payloads.map(framed))
        const { frames, splitter } = collect()
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length]!
          splitter.push(bytes.subarray(at, at + size))
          at += size
        }
        expect(frames).toEqual(payloads.map((payload) => Buffer.from(payload)))
        expect(splitter.pendingBytes).toBe(0)
      }),
    )
  })

  test('a frame inside one chunk is a view of it', () => {
    const chunk = framed(Buffer.from('hello'))
    const { frames, splitter } = collect()
    splitter.push(chunk)
    expect(frames[0]!.buffer).toBe(chunk.buffer)
  })

  test('frames outlast a chunk that is read into again', () => {
    const frames: Buffer[] = []
    const splitter = new FrameSplitter({ maxFrameBytes: 100, copies: true, onFrame: (frame) => frames.push(frame) })
    const bytes = Buffer.concat(['first', 'second', 'third'].map((text) => framed(Buffer.from(text))))
    const chunk = Buffer.alloc(12)
    for (let at = 0; at < bytes.length; at += chunk.length) {
      splitter.push(chunk.subarray(0, bytes.copy(chunk, 0, at)))
      chunk.fill(0)
    }
    expect(frames.map(String)).toEqual(['first', 'second', 'third'])
  })

  test('a frame of many megabytes grows as its bytes arrive', () => {
    const payload = Buffer.alloc(5 << 20, 3)
    const bytes = framed(payload)
    const { frames, splitter } = collect(8 << 20)
    for (let at = 0; at < bytes.length; at += 65536) splitter.push(bytes.subarray(at, at + 65536))
    expect(frames).toHaveLength(1)
    expect(frames[0]!.equals(payload)).toBe(true)
  })

  test('a size beyond the limit or below zero is refused before its bytes arrive', () => {
    expect(() => collect(100).splitter.push(Buffer.from([0, 0, 0, 101]))).toThrow(
      'frame of 101 bytes, the limit is 100',
    )
    expect(() => collect(100).splitter.push(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toThrow(ProtocolError)
  })

  test('a large size alone does not allocate it', () => {
    const { splitter } = collect(0x7fffffff)
    const before = process.memoryUsage().arrayBuffers
    splitter.push(Buffer.from([0x7f, 0xff, 0xff, 0xff, 1]))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20)
    expect(splitter.pendingBytes).toBe(1)
  })
})
