import { readFileSync } from 'node:fs'
import { ConfigError } from '@millrace/sdk'
import type { ClientConfig } from 'pg'
import type { ConnectionSettings } from '../connection-config.ts'
import type { HostPort } from '../url.ts'

export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'
export type TargetServer = 'any' | 'primary' | 'secondary' | 'preferPrimary' | 'preferSecondary'

const SSL_MODES: readonly SslMode[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']
const TARGETS: Readonly<Record<string, TargetServer>> = {
  any: 'any',
  primary: 'primary',
  master: 'primary',
  secondary: 'secondary',
  slave: 'secondary',
  preferSecondary: 'preferSecondary',
  preferSlave: 'preferSecondary',
  preferPrimary: 'preferPrimary',
}

/**
 * Driver properties that would change who is asked, or how the user is known: leaving one out silently would be
 * wrong.
 */
const REFUSED: Readonly<Record<string, string>> = {
  socketFactory: 'a Java class cannot run here',
  authenticationPluginClassName: 'a Java class cannot run here',
  sslpasswordcallback: 'a Java class cannot run here; use sslpassword',
  sslhostnameverifier: 'a Java class cannot run here; choose the check with sslmode',
  kerberosServerName: 'Kerberos is not supported; use a password or a client certificate',
  jaasApplicationName: 'Kerberos is not supported; use a password or a client certificate',
  replication: 'a replication connection cannot run queries; leave it out',
}

/** How sessions that only read call themselves, unless the config says otherwise. */
export const READER_NAME = 'Millrace JDBC source'

/** What the driver properties of the JDBC URL mean for our connections. */
export interface DriverProperties {
  readonly sslMode: SslMode
  readonly target: TargetServer
  readonly shuffleHosts: boolean
  readonly searchPath: string | undefined
  readonly client: Omit<ClientConfig, 'host' | 'port' | 'ssl'>
  tls(host: HostPort): ClientConfig['ssl']
}

/** Translates the properties of the PostgreSQL JDBC driver. Throws ConfigError for what cannot be honoured. */
export function driverProperties(settings: ConnectionSettings, purpose: 'read' | 'write' = 'read'): DriverProperties {
  const get = (name: string): string | undefined => settings.properties.get(name)
  for (const [name, reason] of Object.entries(REFUSED)) {
    if (get(name) !== undefined) throw refuse(name, reason)
  }
  const gss = get('gssEncMode')
  if (gss === 'require') throw refuse('gssEncMode', 'Kerberos encryption is not supported; use sslmode=require')
  const user = settings.user ?? 'postgres'
  const connectSeconds =
    seconds(get('connectTimeout'), 'connectTimeout') ?? seconds(get('loginTimeout'), 'loginTimeout') ?? 10
  const socketSeconds = seconds(get('socketTimeout'), 'socketTimeout') ?? 0
  return {
    sslMode: sslMode(get('sslmode'), get('ssl'), get('sslfactory')),
    target: target(get('targetServerType')),
    shuffleHosts: get('loadBalanceHosts') === 'true',
    searchPath: get('currentSchema'),
    client: {
      user,
      database: settings.url.database ?? user,
      ...(settings.password === undefined ? {} : { password: settings.password }),
      application_name: get('ApplicationName') ?? (purpose === 'read' ? READER_NAME : 'Millrace JDBC sink'),
      ...(get('options') === undefined ? {} : { options: get('options') as string }),
      connectionTimeoutMillis: connectSeconds * 1000,
      ...(socketSeconds === 0 ? {} : { query_timeout: socketSeconds * 1000 }),
      keepAlive: get('tcpKeepAlive') !== 'false',
    },
    tls: () => tlsOptions(settings),
  }
}

function refuse(name: string, reason: string): ConfigError {
  return new ConfigError(`connection.url: the property ${name} is refused: ${reason}`, { key: 'connection.url' })
}

function sslMode(mode: string | undefined, ssl: string | undefined, factory: string | undefined): SslMode {
  const lax = factory?.endsWith('.NonValidatingFactory') === true
  if (factory !== undefined && !lax && !/\.(LibPQFactory|DefaultJavaSSLFactory)$/.test(factory)) {
    throw refuse('sslfactory', 'a Java class cannot run here; choose the check with sslmode')
  }
  if (mode !== undefined) {
    const known = SSL_MODES.find((each) => each === mode)
    if (known === undefined) throw refuse('sslmode', `"${mode}" is not one of ${SSL_MODES.join(', ')}`)
    return known
  }
  if (ssl === undefined || ssl === 'false') return 'prefer'
  return lax ? 'require' : 'verify-full'
}

function target(value: string | undefined): TargetServer {
  const known = TARGETS[value ?? 'any']
  if (known === undefined)
    throw refuse('targetServerType', `"${value}" is not one of ${Object.keys(TARGETS).join(', ')}`)
  return known
}

function seconds(value: string | undefined, name: string): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0) throw refuse(name, `"${value}" is not a number of seconds`)
  return number
}

function tlsOptions(settings: ConnectionSettings): ClientConfig['ssl'] {
  const get = (name: string): string | undefined => settings.properties.get(name)
  const mode = sslMode(get('sslmode'), get('ssl'), get('sslfactory'))
  const verifies = mode === 'verify-ca' || mode === 'verify-full'
  const file = (name: string): { text?: string } => {
    const path = get(name)
    if (path === undefined || path === '') return {}
    try {
      return { text: readFileSync(path, 'utf8') }
    } catch (cause) {
      throw new ConfigError(`connection.url: the file of ${name} cannot be read: ${(cause as Error).message}`, {
        cause,
      })
    }
  }
  const ca = file('sslrootcert').text
  const cert = file('sslcert').text
  const key = file('sslkey').text
  if (key !== undefined && !key.includes('-----BEGIN')) throw refuse('sslkey', 'write the key in PEM form, not as DER')
  const password = get('sslpassword')
  return {
    rejectUnauthorized: verifies,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(password === undefined ? {} : { passphrase: password }),
    // verify-ca trusts the issuer and does not compare names.
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  }
}
