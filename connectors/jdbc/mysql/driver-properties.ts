import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { ConfigError } from '@millrace/sdk'
import type { ConnectionOptions } from 'mysql2'
import type { ConnectionSettings } from '../connection-config.ts'

export type SslMode = 'disabled' | 'preferred' | 'required' | 'verify-ca' | 'verify-identity'

/** What dates such as 0000-00-00 become. */
export type ZeroDates = 'exception' | 'null' | 'round'

/** The names of both drivers, MySQL's and MariaDB's. */
const SSL_MODES: Readonly<Record<string, SslMode>> = {
  disabled: 'disabled',
  disable: 'disabled',
  preferred: 'preferred',
  required: 'required',
  trust: 'required',
  'verify-ca': 'verify-ca',
  'verify-identity': 'verify-identity',
  'verify-full': 'verify-identity',
}

const ZERO_DATES: Readonly<Record<string, ZeroDates>> = {
  exception: 'exception',
  converttonull: 'null',
  round: 'round',
}

/** Driver properties that would change who is asked, or what is read: leaving one out silently would be wrong. */
const REFUSED: Readonly<Record<string, string>> = {
  socketFactory: 'a Java class cannot run here',
  authenticationPlugins: 'a Java class cannot run here',
  defaultAuthenticationPlugin: 'a Java class cannot run here',
  queryInterceptors: 'a Java class cannot run here',
  propertiesTransform: 'a Java class cannot run here',
  trustCertificateKeyStoreUrl: 'a Java key store cannot be read; put the certificates into a PEM file, serverSslCert',
  trustStore: 'a Java key store cannot be read; put the certificates into a PEM file, serverSslCert',
  clientCertificateKeyStoreUrl: 'a Java key store cannot be read; client certificates are not supported',
  keyStore: 'a Java key store cannot be read; client certificates are not supported',
  sessionVariables: 'it could change how values are written; set the variables for the user in the database',
  sql_mode: 'it could change how values are written; it is set as the connector needs it',
}

/** What the driver properties of the JDBC URL mean for our connections. */
export interface MysqlProperties {
  readonly sslMode: SslMode
  readonly socketPath: string | undefined
  readonly zeroDates: ZeroDates
  readonly client: ConnectionOptions
  tls(): NonNullable<ConnectionOptions['ssl']>
}

/** Translates the properties of MySQL Connector/J and MariaDB Connector/J. Throws ConfigError for what cannot be honoured. */
export function driverProperties(settings: ConnectionSettings): MysqlProperties {
  const get = (name: string): string | undefined => settings.properties.get(name)
  for (const [name, reason] of Object.entries(REFUSED)) {
    if (get(name) !== undefined) throw refuse(name, reason)
  }
  const encoding = get('characterEncoding')
  if (encoding !== undefined && !/^utf-?8(mb4)?$/i.test(encoding)) {
    throw refuse('characterEncoding', `"${encoding}" is not UTF-8, in which all text travels here; leave it out`)
  }
  const zero = get('zeroDateTimeBehavior') ?? 'exception'
  const zeroDates = ZERO_DATES[zero.replaceAll('_', '').toLowerCase()]
  if (zeroDates === undefined) {
    throw refuse('zeroDateTimeBehavior', `"${zero}" is not one of EXCEPTION, CONVERT_TO_NULL, ROUND`)
  }
  const mode = sslMode(settings)
  const { database, hosts } = settings.url
  const address = hosts.find(({ host }) => isIP(host) !== 0)
  if (mode === 'verify-identity' && address !== undefined) {
    // The driver checks names alone, and would let any server in that the authority vouches for.
    const fix = 'use the name that the certificate has, or VERIFY_CA, which checks the authority alone'
    throw refuse('sslMode', `the address ${address.host} cannot be checked against the certificate; ${fix}`)
  }
  return {
    sslMode: mode,
    socketPath: get('localSocket'),
    zeroDates,
    client: {
      user: settings.user ?? 'root',
      ...(settings.password === undefined ? {} : { password: settings.password }),
      ...(database === undefined ? {} : { database }),
      charset: 'utf8mb4',
      connectTimeout: milliseconds(get('connectTimeout'), 'connectTimeout') || 10_000,
      enableKeepAlive: get('tcpKeepAlive') !== 'false',
      multipleStatements: false,
      connectAttributes: { program_name: 'Millrace JDBC' },
    },
    tls: () => tlsOptions(mode, get('serverSslCert')),
  }
}

function refuse(name: string, reason: string): ConfigError {
  return new ConfigError(`connection.url: the property ${name} is refused: ${reason}`, { key: 'connection.url' })
}

function sslMode(settings: ConnectionSettings): SslMode {
  const get = (name: string): string | undefined => settings.properties.get(name)
  const named = get('sslMode') ?? get('sslmode')
  if (named !== undefined) {
    const known = SSL_MODES[named.replaceAll('_', '-').toLowerCase()]
    if (known === undefined) throw refuse('sslMode', `"${named}" is not one of ${Object.keys(SSL_MODES).join(', ')}`)
    return known
  }
  if (get('useSSL') === 'false' || get('useSsl') === 'false') return 'disabled'
  if (get('verifyServerCertificate') === 'true') return 'verify-ca'
  if (get('requireSSL') === 'true' || get('useSsl') === 'true') return 'required'
  // MySQL's driver prefers to encrypt; MariaDB's does not unless it is told to.
  return settings.url.subprotocol === 'mariadb' ? 'disabled' : 'preferred'
}

function milliseconds(value: string | undefined, name: string): number {
  const number = Number(value ?? 0)
  if (!Number.isInteger(number) || number < 0) throw refuse(name, `"${value}" is not a number of milliseconds`)
  return number
}

function tlsOptions(mode: SslMode, certificate: string | undefined): NonNullable<ConnectionOptions['ssl']> {
  let ca: string | undefined
  try {
    ca = certificate === undefined ? undefined : readFileSync(certificate, 'utf8')
  } catch (cause) {
    throw new ConfigError(`connection.url: the file of serverSslCert cannot be read: ${(cause as Error).message}`, {
      key: 'connection.url',
      cause,
    })
  }
  const verifies = mode === 'verify-ca' || mode === 'verify-identity'
  return {
    rejectUnauthorized: verifies,
    verifyIdentity: mode === 'verify-identity',
    ...(ca === undefined ? {} : { ca }),
  }
}
