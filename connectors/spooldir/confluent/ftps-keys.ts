import { readFile } from 'node:fs/promises'
import { ConfigError, type ConfigDef, type ConfigIssue, type Parsed, type RawConfig } from '@millrace/sdk'
import { type FileSystem, FtpFileSystem, type FtpTls } from '../../_shared/file-source/index.ts'
import { placeKeys } from '../remote-config.ts'

const group = 'Connection'
const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
const JKS = 0xfe_ed_fe_ed
/** What DER, and so PKCS12, begins with. */
const DER = 0x30

const ignored = (key: string, why: string) =>
  ({
    [key]: { type: 'string', default: null, importance: 'low', doc: `Accepted without effect: ${why}.`, group },
  }) as const

const tlsKeys = {
  'ftps.ssl.truststore.location': {
    type: 'string',
    default: '',
    importance: 'high',
    doc:
      'A file with the certificates to trust, in PEM form; without it those of Node.js are trusted. Java key stores (JKS, ' +
      'PKCS12) are refused.',
    group,
  },
  'ftps.ssl.truststore.password': {
    type: 'password',
    default: '',
    importance: 'high',
    doc: 'Accepted without effect: certificates in PEM form have no password.',
    group,
  },
  'ftps.ssl.keystore.location': {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'A file with the certificate and the key to show to the server, in PEM or PKCS12 form. JKS is refused.',
    group,
  },
  'ftps.ssl.keystore.password': {
    type: 'password',
    default: '',
    importance: 'high',
    doc: 'The password of a PKCS12 key store.',
    group,
  },
  'ftps.ssl.key.password': {
    type: 'password',
    default: '',
    importance: 'high',
    doc: 'The password of the key in a PEM key store.',
    group,
  },
  'ftps.ssl.enabled.protocols': {
    type: 'list',
    default: ['TLSv1.2', 'TLSv1.3'] as readonly string[],
    oneOf: VERSIONS,
    nonEmpty: true,
    importance: 'medium',
    doc: 'The versions of TLS: from the lowest to the highest of these.',
    group,
  },
  'ftps.ssl.endpoint.identification.algorithm': {
    type: 'string',
    default: 'https',
    oneOf: ['https', ''],
    ignoreCase: true,
    importance: 'low',
    doc: 'https checks that the certificate is for `ftps.host`; empty does not.',
    group,
  },
  ...ignored('ftps.ssl.truststore.type', 'the file tells its form'),
  ...ignored('ftps.ssl.keystore.type', 'the file tells its form'),
  ...ignored('ftps.ssl.protocol', 'ftps.ssl.enabled.protocols tells the versions'),
  ...ignored('ftps.ssl.keymanager.algorithm', 'it is of Java'),
  ...ignored('ftps.ssl.trustmanager.algorithm', 'it is of Java'),
} as const satisfies ConfigDef

/** How Confluent's FTPS connectors say where the server is. */
export const ftpsKeys = {
  'ftps.host': { type: 'string', nonEmpty: true, importance: 'high', doc: 'The server.', group },
  'ftps.port': { type: 'int', default: 21, min: 1, max: 65_535, importance: 'medium', doc: 'Its port.', group },
  'ftps.username': { type: 'string', nonEmpty: true, importance: 'high', doc: 'Who logs in.', group },
  'ftps.password': { type: 'password', importance: 'high', doc: 'The password.', group },
  'ftps.security.mode': {
    type: 'string',
    default: 'EXPLICIT',
    oneOf: ['EXPLICIT', 'IMPLICIT'],
    ignoreCase: true,
    importance: 'low',
    doc: 'EXPLICIT: the connection starts plain and changes to TLS. IMPLICIT: TLS starts with the first byte.',
    group,
  },
  ...tlsKeys,
  'connection.timeout.ms': placeKeys['connection.timeout.ms'],
} as const satisfies ConfigDef

export type FtpsConfig = Parsed<typeof ftpsKeys>

/** Opens files on an FTPS server. */
export async function connectFtps(config: FtpsConfig, chunkBytes: number): Promise<FileSystem> {
  return FtpFileSystem.connect({
    host: config['ftps.host'],
    port: config['ftps.port'],
    username: config['ftps.username'],
    password: config['ftps.password'],
    security: config['ftps.security.mode'] === 'IMPLICIT' ? 'implicit' : 'explicit',
    tls: await tlsOf(config),
    timeoutMs: config['connection.timeout.ms'],
    chunkBytes,
  })
}

const REFUSED: Readonly<Record<string, string>> = {
  'ftps.ssl.provider': 'it is of Java',
  'ftps.ssl.secure.random.implementation': 'it is of Java',
  'ftps.ssl.cipher.suites': 'they have the names of Java; Node.js and the server agree on one that is safe',
}

/** Options of TLS that are refused, with the reason. */
export function refusedFtpsSettings(raw: RawConfig): readonly ConfigIssue[] {
  return Object.entries(REFUSED).flatMap(([key, reason]) =>
    (raw[key]?.trim() ?? '') === '' ? [] : [{ key, message: `it is not possible: ${reason}; remove it` }],
  )
}

async function tlsOf(config: FtpsConfig): Promise<FtpTls> {
  const trusted = await storeOf(config, 'ftps.ssl.truststore.location')
  const own = await storeOf(config, 'ftps.ssl.keystore.location')
  const versions = VERSIONS.filter((version) => config['ftps.ssl.enabled.protocols'].includes(version))
  const [minVersion, maxVersion] = [versions[0], versions.at(-1)]
  return {
    ...(trusted === null ? {} : { ca: trusted.bytes }),
    ...(own === null
      ? {}
      : own.isPem
        ? { cert: own.bytes, key: own.bytes, passphrase: config['ftps.ssl.key.password'] }
        : { pfx: own.bytes, passphrase: config['ftps.ssl.keystore.password'] }),
    ...(minVersion === undefined || maxVersion === undefined ? {} : { minVersion, maxVersion }),
    ...(config['ftps.ssl.endpoint.identification.algorithm'] === '' ? { checkServerIdentity: () => undefined } : {}),
  }
}

type StoreKey = 'ftps.ssl.truststore.location' | 'ftps.ssl.keystore.location'

async function storeOf(config: FtpsConfig, key: StoreKey): Promise<{ bytes: Buffer; isPem: boolean } | null> {
  const path = config[key]
  if (path === '') return null
  const refuse = (problem: string, cause?: unknown): never => {
    throw new ConfigError(`${key}: the file "${path}" ${problem}`, { key, cause })
  }
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    return refuse('cannot be read; check its path and rights', error)
  }
  if (bytes.includes('-----BEGIN')) return { bytes, isPem: true }
  if (bytes.length >= 4 && bytes.readUInt32BE(0) === JKS) {
    return refuse('is a Java key store, which cannot be read; write what is in it in PEM form (keytool -list -rfc)')
  }
  if (key === 'ftps.ssl.keystore.location' && bytes[0] === DER) return { bytes, isPem: false }
  return refuse('is not in PEM form; convert it, a PKCS12 store with openssl pkcs12 -nokeys')
}
