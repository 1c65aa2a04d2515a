import { defineConfig, type Parsed } from '@millrace/sdk'

type All = Readonly<Record<string, unknown>>

const needsTls = (path: string, all: All): string | undefined =>
  all['syslog.listener'] === 'TCPSSL' && path === '' ? 'is needed with syslog.listener=TCPSSL' : undefined

/** The configuration of the syslog source. */
export const config = defineConfig({
  'syslog.port': {
    type: 'int',
    min: 1,
    max: 65_535,
    importance: 'high',
    doc: 'The port to listen on. Ports below 1024 need the right to.',
    example: '5514',
    group: 'Listener',
    displayName: 'Port',
  },
  'syslog.listener': {
    type: 'string',
    default: 'UDP',
    oneOf: ['UDP', 'TCP', 'TCPSSL'],
    ignoreCase: true,
    importance: 'high',
    doc: 'How messages come: UDP, TCP (octet counting and lines, told apart by themselves), or TCP with TLS.',
    group: 'Listener',
    displayName: 'Protocol',
  },
  'syslog.listen.address': {
    type: 'string',
    default: '0.0.0.0',
    nonEmpty: true,
    importance: 'low',
    doc: 'The address to listen on.',
    group: 'Listener',
    displayName: 'Address',
  },
  topic: {
    type: 'string',
    default: 'syslog',
    nonEmpty: true,
    importance: 'high',
    doc: 'The topic to write to.',
    group: 'Records',
    displayName: 'Topic',
  },
  'syslog.backoff.millis': {
    type: 'int',
    default: 100,
    min: 1,
    importance: 'low',
    doc: 'How long an empty queue is waited at before the runtime is told so, in milliseconds. Messages are not delayed by it.',
    group: 'Queue',
    displayName: 'Wait (ms)',
  },
  'syslog.queue.batch.size': {
    type: 'int',
    default: 1000,
    min: 1,
    max: 100_000,
    importance: 'low',
    doc: 'The most messages that are given to the runtime at a time.',
    group: 'Queue',
    displayName: 'Batch size',
  },
  'syslog.queue.max.size': {
    type: 'int',
    default: 100_000,
    min: 1,
    importance: 'low',
    doc:
      'The most messages in memory; there are never more than 64 MiB of them either. When it is full, TCP senders have to ' +
      'wait, and datagrams are lost and counted in the log.',
    group: 'Queue',
    displayName: 'Most messages',
  },
  'syslog.message.max.bytes': {
    type: 'int',
    default: 1_048_576,
    min: 480,
    importance: 'low',
    doc: 'A connection with a longer message is closed. An addition of Millrace.',
    group: 'Queue',
    displayName: 'Longest message',
  },
  'syslog.ssl.cert.chain.path': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The certificate to show to senders, with its chain, in PEM form.',
    validate: needsTls,
    group: 'TLS',
    displayName: 'Certificate',
  },
  'syslog.ssl.key.path': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The key of the certificate, in PEM form.',
    validate: needsTls,
    group: 'TLS',
    displayName: 'Key',
  },
  'syslog.ssl.key.password': {
    type: 'password',
    default: '',
    importance: 'low',
    doc: 'The password of the key.',
    group: 'TLS',
    displayName: 'Password of the key',
  },
})

export type SyslogConfig = Parsed<typeof config>

const OFF = new Set(['', 'false'])

/** What says why a key of the originals cannot be had here; undefined for keys that can. */
export function refusal(key: string, value: string): string | undefined {
  if (key in config || OFF.has(value)) return undefined
  if (key === 'syslog.ssl.self.signed.cert.enable')
    return 'is not supported; make a certificate with openssl and name it'
  if (key.includes('reverse.dns')) return 'is not supported: names would be looked up for every sender'
  if (key === 'syslog.ssl.provider') return 'is not supported; TLS is that of Node.js'
  return undefined
}
