import { describe, expect, test } from 'vitest'
import { ArraysQuery } from '../../../../connectors/jdbc/postgres/arrays-query.ts'
import { WireBuffer } from '../../../../connectors/jdbc/postgres/wire-buffer.ts'

/** A connection of the driver that remembers what was written, as the types and bodies of messages. */
function connection(prepared: readonly string[]) {
  const messages: string[] = []
  const write = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readInt32BE(at + 1)
      messages.push(String.fromCharCode(bytes[at] as number) + bytes.toString('latin1', at + 5, at + 1 + length))
      at += 1 + length
    }
  }
  const parsedStatements = Object.fromEntries(prepared.map((name) => [name, 'x']))
  return { messages, parsedStatements, stream: { writable: true, write } }
}

function submitted(name: string | undefined, prepared: readonly string[], out = new WireBuffer()): readonly string[] {
  const arrays = {
    rows: [
      [1, 'a"b'],
      [-2, null],
    ],
    forms: ['integer', 'quoted'],
  }
  const found = connection(prepared)
  new ArraysQuery({ text: 'x', name, arrays }, out, () => undefined).submit(found as never)
  return found.messages
}

const integers = '\0\0\0\x01\0\0\0\0\0\0\0\x17\0\0\0\x02\0\0\0\x01\0\0\0\x04\0\0\0\x01\0\0\0\x04\xff\xff\xff\xfe'
const texts = '{"a\\"b",NULL}'
const bind = (name: string) =>
  `B\0${name}\0\0\x02\0\x01\0\0\0\x02\0\0\0\x24${integers}\0\0\0${String.fromCharCode(texts.length)}${texts}\0\0`
const rest = ['E\0\0\0\0\0', 'S']

describe('statements over arrays', () => {
  test('are parsed once where they have a name, and else each time', () => {
    expect(submitted('s', [])).toEqual(['Ps\0x\0\0\0', bind('s'), ...rest])
    expect(submitted('s', ['s'])).toEqual([bind('s'), ...rest])
    expect(submitted(undefined, ['s'])).toEqual(['P\0x\0\0\0', bind(''), ...rest])
  })
  test('are written over the statement before', () => {
    const out = new WireBuffer()
    const first = submitted(undefined, [], out)
    const memory = out.bytes
    expect(submitted(undefined, [], out)).toEqual(first)
    expect(out.bytes).toBe(memory)
  })
})

describe('memory for messages', () => {
  test.each([
    '',
    'a',
    'x'.repeat(48),
    'x'.repeat(49),
    'caf\u00e9',
    `${'x'.repeat(47)}\u{1f600}`,
    '\u20ac'.repeat(40_000),
  ])('%# has text as UTF-8', (text) => {
    const out = new WireBuffer()
    out.name(text)
    out.text(text)
    expect(out.written()).toEqual(Buffer.from(`${text}\0${text}`))
  })
  test('is not kept where a message was large', () => {
    const out = new WireBuffer()
    out.raw(Buffer.alloc(9 * 1024 * 1024))
    out.clear()
    expect(out.bytes.length).toBe(0)
  })
})
