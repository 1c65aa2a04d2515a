/** One server of a connection URL. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** A JDBC URL taken apart. Property names keep the case in which they were written. */
export interface JdbcUrl {
  readonly subprotocol: 'postgresql'
  readonly hosts: readonly HostPort[]
  /** Undefined: the database is named like the user. */
  readonly database: string | undefined
  readonly properties: ReadonlyMap<string, string>
}

const POSTGRES_PORT = 5432
const FORM = 'jdbc:postgresql://host:5432/database?property=value'

/** Thrown for a URL that cannot be used; the message names no password. */
export class JdbcUrlError extends Error {
  override name = 'JdbcUrlError'
}

/** Databases whose URLs are known but that this version does not speak to. */
const OTHER_DATABASES = ['mysql', 'mariadb', 'sqlserver', 'oracle', 'sqlite', 'db2', 'derby', 'h2', 'sap', 'vertica']

/** Reads the URL as the PostgreSQL JDBC driver does. Throws JdbcUrlError with the reason. */
export function parseJdbcUrl(url: string): JdbcUrl {
  const match = /^jdbc:([a-z0-9]+):(.*)$/is.exec(url.trim())
  if (!match) throw new JdbcUrlError(`not a JDBC URL; write it as ${FORM}`)
  const subprotocol = (match[1] as string).toLowerCase()
  if (subprotocol !== 'postgresql') {
    const known = OTHER_DATABASES.includes(subprotocol)
    throw new JdbcUrlError(`${known ? 'not supported yet' : 'unknown database'}: "${subprotocol}"; write ${FORM}`)
  }
  const [location, query] = splitOnce(match[2] as string, '?')
  return { subprotocol, ...parseLocation(location), properties: parseProperties(query ?? '') }
}

function parseLocation(location: string): Pick<JdbcUrl, 'hosts' | 'database'> {
  if (!location.startsWith('//')) {
    // The short form `jdbc:postgresql:database` means this machine.
    const database = decode(location.replace(/^\//, ''))
    return { hosts: [{ host: 'localhost', port: POSTGRES_PORT }], database: database === '' ? undefined : database }
  }
  const [authority, path] = splitOnce(location.slice(2), '/')
  if (authority.includes('@')) {
    throw new JdbcUrlError(
      'user and password do not belong before the host; use connection.user and connection.password',
    )
  }
  const hosts = authority === '' ? [{ host: 'localhost', port: POSTGRES_PORT }] : authority.split(',').map(parseHost)
  const database = decode(path ?? '')
  if (database.includes('/')) throw new JdbcUrlError(`the database name "${database}" has a slash; write it as %2F`)
  return { hosts, database: database === '' ? undefined : database }
}

function parseHost(text: string): HostPort {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]\s]*))(?::(\d*))?$/i.exec(text.trim())
  if (!match)
    throw new JdbcUrlError(`not a host and port: "${text}"; an IPv6 address is written in brackets, [::1]:5432`)
  const host = decode(match[1] ?? match[2] ?? '')
  const port = match[3] === undefined || match[3] === '' ? POSTGRES_PORT : Number(match[3])
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
