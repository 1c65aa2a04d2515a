import { type ConfigIssue, compileRegex, defineConfig, type Parsed, type RawConfig } from '@millrace/sdk'
import { placeKeys } from './remote-config.ts'

const DURATION = /^P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i

/** Milliseconds of a duration such as PT1M30S; undefined for other texts. */
export function durationMs(text: string): number | undefined {
  const match = DURATION.exec(text)
  if (match === null || !/\d/.test(text)) return undefined
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0))
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}

const duration = (text: string): string | undefined =>
  durationMs(text) === undefined ? 'it is not a duration of ISO 8601, as PT1M30S and P1D are' : undefined

const entry = /^(.+):([^:/]+)$/
const monitors = (entries: readonly string[]): string | undefined => {
  const wrong = entries.find((each) => !entry.test(each))
  return wrong === undefined ? undefined : `"${wrong}" is not of the form path:topic`
}

const regex = (pattern: string): string | undefined => {
  try {
    compileRegex(pattern)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const group = 'FTP'

/** The options of FtpSource: those of stream-reactor's FTP source. */
export const ftpConfig = defineConfig({
  'connect.ftp.address': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'The server: host, or host:port.',
    example: 'ftp.example.com:21',
    group,
  },
  'connect.ftp.user': { type: 'string', nonEmpty: true, importance: 'high', doc: 'Who logs in.', group },
  'connect.ftp.password': {
    type: 'password',
    default: '',
    importance: 'high',
    doc: 'The password; empty with a key.',
    group,
  },
  'connect.ftp.protocol': {
    type: 'string',
    default: 'ftp',
    oneOf: ['ftp', 'ftps', 'sftp'],
    ignoreCase: true,
    importance: 'medium',
    doc: 'FTP, FTP with TLS, or SFTP.',
    group,
  },
  'connect.ftp.refresh': {
    type: 'string',
    validate: duration,
    importance: 'high',
    doc: 'How often the server is looked at, as a duration of ISO 8601.',
    example: 'PT1M',
    group,
  },
  'connect.ftp.file.maxage': {
    type: 'string',
    validate: duration,
    importance: 'high',
    doc: 'Files that were last changed longer ago are left alone.',
    example: 'P14D',
    group,
  },
  'connect.ftp.max.backoff': {
    type: 'string',
    default: 'PT30M',
    validate: duration,
    importance: 'low',
    doc: 'The longest wait after failures of the connection; the first one is `connect.ftp.refresh`, and it doubles.',
    group,
  },
  'connect.ftp.timeout': {
    type: 'int',
    default: 30_000,
    min: 1,
    importance: 'low',
    doc: 'How long to wait for the server, in milliseconds.',
    group,
  },
  'connect.ftp.monitor.tail': {
    type: 'list',
    default: [] as readonly string[],
    validate: monitors,
    importance: 'high',
    doc: 'Entries path:topic. Of a file that has grown what was appended is published; of one whose start has changed all.',
    example: '/logs/:logs',
    group,
  },
  'connect.ftp.monitor.update': {
    type: 'list',
    default: [] as readonly string[],
    validate: monitors,
    importance: 'high',
    doc:
      'Entries path:topic. A file that has changed is published as a whole. Paths are files, folders, or folders with a ' +
      'pattern of names such as /in/*.csv.',
    example: '/in/*.csv:imports',
    group,
  },
  'connect.ftp.monitor.slicesize': {
    type: 'int',
    default: -1,
    validate: (size: number) => (size === -1 || size > 0 ? undefined : 'must be -1 or a number of bytes'),
    importance: 'medium',
    doc: 'How many bytes a record has at the most; -1 puts what there is into one, which may have 64 MiB.',
    group,
  },
  'connect.ftp.keystyle': {
    type: 'string',
    default: 'string',
    oneOf: ['string', 'struct'],
    ignoreCase: true,
    importance: 'high',
    doc: 'Keys: the path of the file, or a struct of `name` and the `offset` of the bytes in it.',
    group,
  },
  'connect.ftp.max.poll.records': {
    type: 'int',
    default: 10_000,
    min: 1,
    importance: 'low',
    doc: 'How many records are given to the runtime at a time.',
    group,
  },
  'connect.ftp.filter': {
    type: 'string',
    default: '.*',
    validate: regex,
    importance: 'low',
    doc: 'A regular expression that the whole name of a file has to match.',
    group,
  },
  'tls.pemfile': placeKeys['tls.pemfile'],
  'tls.passphrase': placeKeys['tls.passphrase'],
  'sftp.host.fingerprint': placeKeys['sftp.host.fingerprint'],
  'ftp.tls.ca': placeKeys['ftp.tls.ca'],
  'ftp.tls.verify': placeKeys['ftp.tls.verify'],
})

export type FtpConfig = Parsed<typeof ftpConfig>

/** What is looked at on the server, and where it goes. */
export interface Monitor {
  readonly path: string
  readonly topic: string
  readonly isTail: boolean
}

export function monitorsOf(config: FtpConfig): Monitor[] {
  const parse = (entries: readonly string[], isTail: boolean): Monitor[] =>
    entries.map((each) => {
      const [, path = '', topic = ''] = entry.exec(each) ?? []
      return { path, topic, isTail }
    })
  return [...parse(config['connect.ftp.monitor.tail'], true), ...parse(config['connect.ftp.monitor.update'], false)]
}

const OWN_CLASSES: Readonly<Record<string, RegExp>> = {
  'connect.ftp.fileconverter': /(^|\.)SimpleFileConverter$/,
  'connect.ftp.sourcerecordconverter': /(^|\.)NopSourceRecordConverter$/,
}

/** What is wrong with a configuration as a whole. */
export function ftpProblems(config: FtpConfig, raw: RawConfig): ConfigIssue[] {
  const issues: ConfigIssue[] = []
  const all = monitorsOf(config)
  if (all.length === 0) {
    issues.push({ key: 'connect.ftp.monitor.tail', message: 'it or connect.ftp.monitor.update has to name a path' })
  }
  const paths = all.map(({ path }) => path)
  const twice = paths.find((path, index) => paths.indexOf(path) !== index)
  if (twice !== undefined) {
    issues.push({ key: 'connect.ftp.monitor.update', message: `${twice} is named twice; one topic reads a path` })
  }
  for (const [key, accepted] of Object.entries(OWN_CLASSES)) {
    const value = raw[key]?.trim() ?? ''
    if (value === '' || accepted.test(value)) continue
    issues.push({
      key,
      message: `${value} is Java code and cannot be used; remove it, and change records by a transformation`,
    })
  }
  return issues
}
