import fc from 'fast-check'
import { Command } from 'ioredis'
import { expect, test } from 'vitest'
import type { Argument } from '../../../../connectors/redis/operations.ts'
import { mostBytesOf, RespWriter } from '../../../../connectors/redis/resp-writer.ts'
import '../../property-settings.ts'

function written(args: readonly (Argument | number)[]): Buffer {
  const most = mostBytesOf(args.map((each) => (typeof each === 'number' ? String(each) : each)))
  const writer = new RespWriter(Buffer.alloc(most + 40), args.length)
  for (const each of args) {
    if (typeof each === 'number') writer.addNumber(each)
    else writer.add(each)
  }
  return writer.bytes
}

test('commands are written as ioredis writes them', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.constantFrom('', 'é', 'x'.repeat(48), 'x'.repeat(49)),
  )
  const bytes = fc.uint8Array().map((each) => Buffer.from(each))
  fc.assert(
    fc.property(fc.array(fc.oneof(text, bytes, fc.nat()), { maxLength: 8 }), (args) => {
      const expected = new Command('EVALSHA', args).toWritable({})
      expect(written(['EVALSHA', ...args]).toString('latin1')).toBe(Buffer.from(expected).toString('latin1'))
    }),
  )
})

test('lengths of any number of digits are right', () => {
  for (const length of [0, 9, 10, 99, 100, 999, 1000, 100_000]) {
    const bytes = Buffer.alloc(length, 'x')
    expect(written([bytes, length]).toString()).toBe(
      `*2\r\n$${length}\r\n${bytes.toString()}\r\n$${String(length).length}\r\n${length}\r\n`,
    )
  }
})
