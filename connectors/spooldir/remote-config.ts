import { connectionConfig } from '../_shared/s3/index.ts'

type All = Readonly<Record<string, unknown>>

/** The options that say where files are, when not on the disk of the worker. */
export const placeKeys = {
  'file.system': {
    type: 'string',
    default: 'local',
    oneOf: ['local', 'sftp', 'ftp', 'ftps', 's3'],
    importance: 'high',
    doc:
      'Where the folders are: on the disk of the worker, on a server that is reached by SFTP, FTP, or FTP with TLS, or in a ' +
      'bucket of S3.',
    group: 'Connection',
  },
  'sftp.host': {
    type: 'string',
    default: 'localhost',
    nonEmpty: true,
    importance: 'high',
    doc: 'The server.',
    group: 'Connection',
  },
  'sftp.port': {
    type: 'int',
    default: 22,
    min: 1,
    max: 65_535,
    importance: 'medium',
    doc: 'Its port.',
    group: 'Connection',
  },
  'sftp.username': {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'Who logs in.',
    group: 'Connection',
  },
  'sftp.password': {
    type: 'password',
    default: '',
    importance: 'high',
    doc: 'The password; empty with a key.',
    group: 'Connection',
  },
  'tls.pemfile': {
    type: 'password',
    default: '',
    importance: 'medium',
    doc: 'The private key that logs in: PEM text, or the path of a file on the machine of the worker.',
    group: 'Connection',
  },
  'tls.passphrase': {
    type: 'password',
    default: '',
    importance: 'medium',
    doc: 'What the private key is encrypted with.',
    group: 'Connection',
  },
  'sftp.host.fingerprint': {
    type: 'string',
    default: '',
    validate: (text: string) =>
      text === '' || /^SHA256:[A-Za-z0-9+/]{43}$/.test(text)
        ? undefined
        : 'must be SHA256: and 43 characters, as ssh-keygen -l writes it',
    importance: 'medium',
    doc: 'The fingerprint of the key of the server. Empty accepts any server, which is logged as a warning.',
    example: 'SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDgwsSzOd5kx6ItQgg',
    group: 'Connection',
  },
  'ftp.host': {
    type: 'string',
    default: 'localhost',
    nonEmpty: true,
    importance: 'high',
    doc: 'The server.',
    group: 'Connection',
  },
  'ftp.port': {
    type: 'int',
    default: 21,
    min: 1,
    max: 65_535,
    importance: 'medium',
    doc: 'Its port; that of FTP with TLS from the first byte on is often 990.',
    group: 'Connection',
  },
  'ftp.username': {
    type: 'string',
    default: 'anonymous',
    importance: 'high',
    doc: 'Who logs in.',
    group: 'Connection',
  },
  'ftp.password': {
    type: 'password',
    default: 'guest',
    importance: 'high',
    doc: 'The password.',
    group: 'Connection',
  },
  'ftp.tls.implicit': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether TLS starts with the first byte (ftps only); else the connection starts plain and changes to TLS.',
    group: 'Connection',
  },
  'ftp.tls.ca': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The certificate of the authority of the server, as PEM text, when Node does not know it.',
    group: 'Connection',
  },
  'ftp.tls.verify': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether the certificate of the server is verified.',
    group: 'Connection',
  },
  'connection.timeout.ms': {
    type: 'int',
    default: 30_000,
    min: 1,
    importance: 'low',
    doc: 'How long to wait for the server.',
    group: 'Connection',
  },
  ...connectionConfig,
  's3.bucket.name': {
    type: 'string',
    default: '',
    validate: (name: string, all: All) =>
      name === '' && all['file.system'] === 's3' ? 'is needed with file.system=s3' : undefined,
    importance: 'high',
    doc: 'The bucket. It has to exist.',
    group: 'Connection',
  },
} as const
