import { defineManifest } from '@millrace/sdk'

export const manifest = defineManifest({
  kind: 'source',
  name: 'SyslogSource',
  aliases: ['io.confluent.connect.syslog.SyslogSourceConnector'],
  version: '0.1.0',
  title: 'Syslog source',
  summary:
    'Listens for syslog messages (RFC 3164, RFC 5424, CEF) over UDP, TCP (octet counting and lines) and TLS. Takes the ' +
    'JSON of the Confluent connector.',
  stability: 'stable',
  // Nobody keeps what a killed process had taken and not handed over.
  delivery: 'at-most-once',
  load: () => import('./source.ts'),
})
