import { readdirSync, readFileSync } from 'node:fs'
import { parseConfig, parseConfigOrThrow } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { FrameSplitter } from '../../../../connectors/syslog/framing.ts'
import { manifest } from '../../../../connectors/syslog/manifest.ts'
import { MessageQueue } from '../../../../connectors/syslog/message-queue.ts'
import { parseMessage } from '../../../../connectors/syslog/message.ts'
import source from '../../../../connectors/syslog/source.ts'
import { seededRandom } from '../../../../src/base/index.ts'

const folder = new URL('../../../../connectors/syslog/examples/', import.meta.url)
const NOW = Date.UTC(2024, 0, 2)

test.each(readdirSync(folder))('%s is a legal config', (name) => {
  const example = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { config: Record<string, string> }
  expect(manifest.aliases).toContain(example.config['connector.class'])
  expect(parseConfig(source.config, example.config).issues).toEqual([])
})

test('there is one task, TLS needs a certificate, and what cannot be had is refused by name', async () => {
  const raw = {
    'syslog.port': '5514',
    'syslog.reverse.dns.remote.ip': 'true',
    'syslog.ssl.self.signed.cert.enable': 'false',
  }
  const config = parseConfigOrThrow(source.config, raw)
  expect(await source.taskConfigs(config, 8, raw, {} as never)).toEqual([raw])
  expect((await source.validate!(config as never, raw)).map(({ key }) => key)).toEqual(['syslog.reverse.dns.remote.ip'])
  const { issues } = parseConfig(source.config, { 'syslog.port': '1', 'syslog.listener': 'tcpssl' })
  expect(issues.map(({ key }) => key)).toEqual(['syslog.ssl.cert.chain.path', 'syslog.ssl.key.path'])
})

test('messages of RFC 5424, with structured data and escapes', () => {
  const text =
    '<165>1 2003-10-11T22:14:15.003Z host app 77 ID47 [ex@1 a="x \\"y\\" \\]" b="2"][two@2] \u{feff}An event [not data]'
  expect(parseMessage(text, NOW)).toEqual({
    facility: 20,
    level: 5,
    date: new Date('2003-10-11T22:14:15.003Z'),
    host: 'host',
    message: 'An event [not data]',
    version: 1,
    appName: 'app',
    processId: '77',
    messageId: 'ID47',
    structuredData: new Map([
      [
        'ex@1',
        new Map([
          ['a', 'x "y" ]'],
          ['b', '2'],
        ]),
      ],
      ['two@2', new Map()],
    ]),
    cef: null,
  })
  expect(parseMessage('<0>1 - - - - - -', NOW)).toMatchObject({
    date: null,
    host: null,
    appName: null,
    message: '',
    version: 1,
  })
})

test.each([
  ['<34>Oct 11 22:14:15 mymachine su[12]: it failed', '2023-10-11T22:14:15Z', 'mymachine', 'su', '12', 'it failed'],
  ['<34>Jan  1 00:00:00 h app: x', '2024-01-01T00:00:00Z', 'h', 'app', null, 'x'],
  ['<34>2024-01-01T01:00:00+01:00 h app: x', '2024-01-01T00:00:00Z', 'h', 'app', null, 'x'],
  ['<34>Jan  1 00:00:00 h no tag here', '2024-01-01T00:00:00Z', 'h', null, null, 'no tag here'],
])('messages of RFC 3164: %s', (text, date, host, appName, processId, message) => {
  const found = parseMessage(text, NOW)
  expect(found).toMatchObject({
    facility: 4,
    level: 2,
    date: new Date(date),
    host,
    appName,
    processId,
    message,
    version: null,
  })
})

test.each(['plain text', '<999>x', '', '<13>', '<13>1 bad bad', '<165>1 2003-99-99T0:0:0Z h a p i - x'])(
  'what is no known form is kept whole: "%s"',
  (text) => {
    const { message, host, date } = parseMessage(text, NOW)
    expect({ message, host, date }).toEqual({ message: text.replace(/^<13>|^<165>/, ''), host: null, date: null })
  },
)

test('CEF in RFC 3164', () => {
  const text = String.raw`<14>Jan  1 00:00:00 fw CEF:0|Sec|thr\|mgr|1.0|100|worm stopped|10|src=10.0.0.1 msg=a b\=c dst=2.1.2.2`
  expect(parseMessage(text, NOW)).toMatchObject({
    host: 'fw',
    appName: null,
    cef: {
      cefVersion: '0',
      deviceVendor: 'Sec',
      deviceProduct: 'thr|mgr',
      deviceVersion: '1.0',
      deviceEventClassId: '100',
      name: 'worm stopped',
      severity: '10',
      extension: new Map([
        ['src', '10.0.0.1'],
        ['msg', 'a b=c'],
        ['dst', '2.1.2.2'],
      ]),
    },
  })
})

test('frames of both kinds are found however the stream is cut', () => {
  const random = seededRandom(5)
  const messages = Array.from(
    { length: 200 },
    (_, n) => `<13>message ${n} ${'ä'.repeat(Math.floor(random.next() * 9))}`,
  )
  const frame = (text: string): string =>
    random.next() < 0.5 ? `${Buffer.byteLength(`${text}\n`)} ${text}\n` : text + (random.next() < 0.5 ? '\r\n' : '\n')
  const stream = Buffer.from(messages.map(frame).join(''))
  const splitter = new FrameSplitter(1000)
  const found: string[] = []
  for (let at = 0; at < stream.length; ) {
    const to = at + 1 + Math.floor(random.next() * 40)
    found.push(...splitter.push(stream.subarray(at, to)).map(String))
    at = to
  }
  expect(found).toEqual(messages)
  expect(splitter.end()).toBeNull()
})

test('a last line without end counts, and what is too long is refused', () => {
  const splitter = new FrameSplitter(10)
  expect(splitter.push(Buffer.from('<1>a'))).toEqual([])
  expect(splitter.end()?.toString()).toBe('<1>a')
  expect(() => splitter.push(Buffer.from('11 '))).toThrow(RangeError)
  expect(() => new FrameSplitter(10).push(Buffer.from('<1>45678901'))).toThrow(RangeError)
  expect(() => new FrameSplitter(10).push(Buffer.from('1x'))).toThrow(RangeError)
})

test('a full queue loses datagrams, counts them, and tells when there is room', async () => {
  const queue = new MessageQueue(2)
  let told = 0
  queue.onRoom(() => told++)
  for (const text of ['a', 'b', 'c', 'd']) queue.offer(Buffer.from(text), 'r')
  expect([queue.isFull, queue.takeLost(), queue.takeLost()]).toEqual([true, 2, 0])
  const signal = new AbortController().signal
  expect((await queue.take(1, 1000, signal)).map(({ text }) => text)).toEqual(['a'])
  expect([queue.isFull, told]).toEqual([false, 1])
  queue.fail(new Error('broken'))
  await expect(queue.take(1, 1000, signal)).rejects.toThrow('broken')
})
