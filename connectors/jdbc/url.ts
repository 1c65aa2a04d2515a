/** One server of a connection URL. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** A JDBC URL taken apart. Property names keep the case in which they were written. */
export interface JdbcUrl {
  readonly subprotocol: 'postgresql' | 'mysql' | 'mariadb' | 'sqlite'
  /** Empty for SQLite. */
  readonly hosts: readonly HostPort[]
  /** Of SQLite the path of the file. Left out: none, or with Postgres the one that is named like the user. */
  readonly database: string | undefined
  readonly properties: ReadonlyMap<string, string>
}

const PORTS = { postgresql: 5432, mysql: 3306, mariadb: 3306, sqlite: 0 } as const
const FORMS = {
  postgresql: 'jdbc:postgresql://host:5432/database?property=value',
  mysql: 'jdbc:mysql://host:3306/database?property=value',
  mariadb: 'jdbc:mariadb://host:3306/database?property=value',
  sqlite: 'jdbc:sqlite:/path/to/file.db?property=value',
} as const

/** Thrown for a URL that cannot be used; the message names no password. */
export class JdbcUrlError extends Error {
  override name = 'JdbcUrlError'
}

/** Databases whose URLs are known but that this version does not speak to. */
const OTHER_DATABASES = ['sqlserver', 'oracle', 'db2', 'derby', 'h2', 'sap', 'vertica']

/** Reads the URL as the JDBC driver of its database does. Throws JdbcUrlError with the reason. */
export function parseJdbcUrl(url: string): JdbcUrl {
  const match = /^jdbc:([a-z0-9]+):(.*)$/is.exec(url.trim())
  const forms = Object.values(FORMS).join(', ')
  if (!match) throw new JdbcUrlError(`not a JDBC URL; write it as one of ${forms}`)
  const subprotocol = (match[1] as string).toLowerCase()
  if (!isSupported(subprotocol)) {
    const known = OTHER_DATABASES.includes(subprotocol)
    throw new JdbcUrlError(
      `${known ? 'not supported yet' : 'unknown database'}: "${subprotocol}"; write one of ${forms}`,
    )
  }
  const [location, query] = splitOnce(match[2] as string, '?')
  const properties = parseProperties(query ?? '')
  if (subprotocol === 'sqlite') return { subprotocol, hosts: [], database: parseFile(location), properties }
  return { subprotocol, ...parseLocation(location, subprotocol), properties }
}

function isSupported(subprotocol: string): subprotocol is JdbcUrl['subprotocol'] {
  return Object.hasOwn(FORMS, subprotocol)
}

/** The path of a SQLite file: as it is, for a path is no URL, unless it is written as one. */
function parseFile(location: string): string {
  if (location === '' || location.startsWith(':memory:') || location.startsWith(':resource:')) {
    throw new JdbcUrlError(`a file is needed, for each task opens the database anew; write it as ${FORMS.sqlite}`)
  }
  return location.startsWith('file:') ? decode(location.slice(5).replace(/^\/\/(?=\/)/, '')) : location
}

function parseLocation(
  location: string,
  subprotocol: 'postgresql' | 'mysql' | 'mariadb',
): Pick<JdbcUrl, 'hosts' | 'database'> {
  const port = PORTS[subprotocol]
  if (!location.startsWith('//')) {
    if (subprotocol !== 'postgresql') throw new JdbcUrlError(`write it as ${FORMS[subprotocol]}`)
    // The short form `jdbc:postgresql:database` means this machine.
    const database = decode(location.replace(/^\//, ''))
    return { hosts: [{ host: 'localhost', port: port }], database: database === '' ? undefined : database }
  }
  const [authority, path] = splitOnce(location.slice(2), '/')
  if (authority.includes('@')) {
    throw new JdbcUrlError(
      'user and password do not belong before the host; use connection.user and connection.password',
    )
  }
  const hosts =
    authority === '' ? [{ host: 'localhost', port: port }] : authority.split(',').map((each) => parseHost(each, port))
  const database = decode(path ?? '')
  if (database.includes('/')) throw new JdbcUrlError(`the database name "${database}" has a slash; write it as %2F`)
  return { hosts, database: database === '' ? undefined : database }
}

function parseHost(text: string, defaultPort: number): HostPort {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]\s]*))(?::(\d*))?$/i.exec(text.trim())
  if (!match)
    throw new JdbcUrlError(
      `not a host and port: "${text}"; an IPv6 address is written in brackets, [::1]:${defaultPort}`,
    )
  const host = decode(match[1] ?? match[2] ?? '')
  const port = match[3] === undefined || match[3] === '' ? defaultPort : Number(match[3])
  if (port < 1 || port > 65_535) throw new JdbcUrlError(`port ${port} of "${text}" is not between 1 and 65535`)
  return { host: host === '' ? 'localhost' : host, port }
}

function parseProperties(query: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const [name, value] = splitOnce(pair, '=')
    properties.set(decode(name), decode(value ?? ''))
  }
  return properties
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new JdbcUrlError('a percent sign in the URL starts no escape; write a literal one as %25')
  }
}
