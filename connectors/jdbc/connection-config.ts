import { ConfigError, type ConfigDef, type Parsed, type RawConfig } from '@millrace/sdk'
import type { CalendarSystem } from './temporal.ts'
import { JdbcUrlError, type JdbcUrl, parseJdbcUrl } from './url.ts'
import { zoneOf } from './zone.ts'

const DEFAULT_CREDENTIALS = [
  'io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider',
  'io.confluent.connect.jdbc.util.JdbcCredentialsProvider',
  'DefaultJdbcCredentialsProvider',
]

/** Says what is wrong with a JDBC URL, or undefined. */
export function checkUrl(url: string): string | undefined {
  try {
    parseJdbcUrl(url)
    return undefined
  } catch (error) {
    if (error instanceof JdbcUrlError) return error.message
    throw error
  }
}

function checkZone(zone: string): string | undefined {
  try {
    zoneOf(zone)
    return undefined
  } catch {
    return `unknown time zone "${zone}"; write UTC, a name such as Europe/Berlin, or an offset such as GMT+02:00`
  }
}

/** The names of dialects, and the databases of the URLs that they fit. */
const DIALECT_NAMES: Readonly<Record<string, readonly JdbcUrl['subprotocol'][]>> = {
  PostgreSqlDatabaseDialect: ['postgresql'],
  postgresql: ['postgresql'],
  MySqlDatabaseDialect: ['mysql', 'mariadb'],
  mysql: ['mysql', 'mariadb'],
  mariadb: ['mysql', 'mariadb'],
  SqliteDatabaseDialect: ['sqlite'],
  sqlite: ['sqlite'],
}

function checkDialect(name: string, url: unknown): string | undefined {
  if (name === '' || typeof url !== 'string' || checkUrl(url) !== undefined) return undefined
  const { subprotocol } = parseJdbcUrl(url)
  if (DIALECT_NAMES[name]?.includes(subprotocol) !== false) return undefined
  return `${name} is not the dialect of jdbc:${subprotocol}: leave dialect.name out`
}

/** The keys that source and sink share. */
export const connectionConfig = {
  'connection.url': {
    type: 'string',
    importance: 'high',
    doc:
      'Where the database is, as a JDBC URL: jdbc:postgresql://host:port/database, jdbc:mysql://..., ' +
      'jdbc:mariadb://... or jdbc:sqlite:/path/to/file. It chooses the dialect. Properties of the JDBC ' +
      'driver may follow a question mark. PostgreSQL: user, password, ssl, sslmode, sslrootcert, sslcert, ' +
      'sslkey, currentSchema, ApplicationName, connectTimeout, loginTimeout, socketTimeout, tcpKeepAlive, ' +
      'targetServerType, loadBalanceHosts, options. MySQL and MariaDB: user, password, sslMode, useSSL, ' +
      'requireSSL, verifyServerCertificate, serverSslCert, connectTimeout, tcpKeepAlive, localSocket, ' +
      ' zeroDateTimeBehavior. SQLite: busy_timeout, foreign_keys, journal_mode, synchronous. ' +
      'Several hosts separated by commas are tried in order.',
    example: 'jdbc:postgresql://localhost:5432/postgres',
    nonEmpty: true,
    validate: (url: string) => checkUrl(url),
    group: 'Database',
    width: 'long',
    displayName: 'JDBC URL',
  },
  'connection.user': {
    type: 'string',
    default: null,
    importance: 'high',
    doc: 'The database user.',
    group: 'Database',
    displayName: 'User',
  },
  'connection.password': {
    type: 'password',
    default: null,
    importance: 'high',
    doc: 'The password of the user.',
    group: 'Database',
    displayName: 'Password',
  },
  'connection.attempts': {
    type: 'int',
    default: 3,
    min: 1,
    importance: 'low',
    doc: 'How often to try to connect before giving up.',
    group: 'Database',
    displayName: 'Connection attempts',
  },
  'connection.backoff.ms': {
    type: 'long',
    default: 10_000,
    min: 0,
    importance: 'low',
    doc: 'How long to wait between two attempts to connect, in milliseconds.',
    group: 'Database',
    displayName: 'Connection back-off (ms)',
  },
  'jdbc.credentials.provider.class': {
    type: 'class',
    default: DEFAULT_CREDENTIALS[0] as string,
    importance: 'low',
    doc:
      'Accepted for configs that name the default provider. Others are Java classes and cannot run ' +
      'here: use a config provider such as ${file:...} in connection.user and connection.password ' +
      'instead.',
    validate: (name: string) =>
      DEFAULT_CREDENTIALS.includes(name)
        ? undefined
        : `"${name}" is a Java class and cannot run here; put a config provider such as ` +
          `\${file:/path:key} into connection.user and connection.password instead`,
    group: 'Database',
    displayName: 'Credentials provider',
  },
  'dialect.name': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The SQL dialect; empty takes the one of the URL. Another than that of the URL is refused.',
    oneOf: ['', ...Object.keys(DIALECT_NAMES)],
    validate: (name: string, all: Readonly<Record<string, unknown>>) => checkDialect(name, all['connection.url']),
    group: 'Database',
    displayName: 'Dialect',
  },
  'quote.sql.identifiers': {
    type: 'string',
    default: 'always',
    oneOf: ['always', 'never'],
    ignoreCase: true,
    importance: 'medium',
    doc:
      'Whether names of tables and columns are quoted in SQL. With `never` PostgreSQL reads all names ' +
      'in lower case, and names that are no plain identifiers are refused everywhere.',
    group: 'Database',
    displayName: 'Quote identifiers',
  },
  'sql.quote.identifiers': {
    type: 'boolean',
    default: null,
    importance: 'low',
    doc: "Aiven's form of quote.sql.identifiers: true is always, false is never. Wins where it is set.",
    group: 'Database',
    displayName: 'Quote identifiers (Aiven)',
  },
  'db.timezone': {
    type: 'string',
    default: 'UTC',
    importance: 'medium',
    doc: 'The time zone in which the wall clock of columns without a time zone is meant.',
    validate: (zone: string) => checkZone(zone),
    group: 'Database',
    displayName: 'Time zone',
  },
  'date.calendar.system': {
    type: 'string',
    default: 'LEGACY',
    oneOf: ['LEGACY', 'PROLEPTIC_GREGORIAN'],
    importance: 'low',
    doc:
      "How dates before 15 October 1582 are counted: LEGACY as Java's old calendar does (Julian), " +
      'PROLEPTIC_GREGORIAN as the database itself does.',
    group: 'Database',
    displayName: 'Calendar',
  },
} as const satisfies ConfigDef

export type ConnectionConfig = Parsed<typeof connectionConfig>

/** Whether identifiers are quoted, by either of the two keys. */
export function quotingOf(
  config: Pick<ConnectionConfig, 'quote.sql.identifiers' | 'sql.quote.identifiers'>,
): 'always' | 'never' {
  const wanted = config['sql.quote.identifiers']
  if (wanted !== null) return wanted ? 'always' : 'never'
  return config['quote.sql.identifiers']
}

/** What it takes to connect. */
export interface ConnectionSettings {
  readonly url: JdbcUrl
  readonly user: string | undefined
  readonly password: string | undefined
  readonly attempts: number
  readonly backoffMs: number
  /** Properties of the URL, and `connection.<property>` keys of the config over them. */
  readonly properties: ReadonlyMap<string, string>
  readonly calendar: CalendarSystem
}

/**
 * Collects the connection settings from the config, with `connection.<property>` keys that are handed to the
 * driver.
 */
export function connectionSettings(config: ConnectionConfig, raw: RawConfig): ConnectionSettings {
  const url = urlOf(config['connection.url'])
  const properties = new Map(url.properties)
  for (const [key, value] of Object.entries(raw)) {
    if (key.startsWith('connection.') && !(key in connectionConfig))
      properties.set(key.slice('connection.'.length), value)
  }
  return {
    url,
    user: config['connection.user'] ?? properties.get('user'),
    password: config['connection.password'] ?? properties.get('password'),
    attempts: config['connection.attempts'],
    backoffMs: config['connection.backoff.ms'],
    properties,
    calendar: config['date.calendar.system'],
  }
}

function urlOf(text: string): JdbcUrl {
  try {
    return parseJdbcUrl(text)
  } catch (error) {
    if (error instanceof JdbcUrlError)
      throw new ConfigError(`connection.url: ${error.message}`, { key: 'connection.url' })
    throw error
  }
}
