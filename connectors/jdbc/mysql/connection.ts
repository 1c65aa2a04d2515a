import { ConnectError } from '@millrace/sdk'
import type { Connection, ConnectionOptions, FieldPacket, QueryError, ResultSetHeader } from 'mysql2'
import type { ConnectionSettings } from '../connection-config.ts'
import type { ResultColumn, SqlConnection, SqlCursor, SqlResult, SqlRow, SqlStatement, SqlText } from '../sql.ts'
import type { HostPort } from '../url.ts'
import { driverProperties, type MysqlProperties, type ZeroDates } from './driver-properties.ts'
import { describeFailure, isOfServer } from './failures.ts'
import { literal } from './literals.ts'

/** A column as the wire protocol describes it. */
export interface MysqlColumn extends ResultColumn {
  /** Number of the type in the protocol. */
  readonly type: number
  readonly flags: number
  /** Of the longest value, in bytes. */
  readonly length: number
  readonly decimals: number
  /** Whether the text is bytes rather than characters. */
  readonly isBinary: boolean
}

const BINARY_CHARSET = 63
const JSON_TYPE = 0xf5
const BIT_TYPE = 0x10
const GEOMETRY_TYPE = 0xff
/** Types whose texts are characters whatever their character set says: they are ASCII or UTF-8. */
const BYTE_TYPES = new Set([BIT_TYPE, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0x0f, GEOMETRY_TYPE])

/** Texts must not depend on the server's settings, and backslashes and backticks mean what we take them to mean. */
const MODES = ['NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES', 'PIPES_AS_CONCAT', 'PAD_CHAR_TO_FULL_LENGTH']
const SESSION = `SET time_zone = '+00:00', net_write_timeout = 31536000, wait_timeout = 31536000,
  sql_mode = ${MODES.reduce((text, mode) => `REPLACE(${text}, '${mode}', '')`, '@@sql_mode')}`
/** A value that does not fit must be refused, and the last row of a key must be seen by the next transaction. */
const WRITER = `SET sql_mode = CONCAT_WS(',', NULLIF(@@sql_mode, ''), 'STRICT_ALL_TABLES'),
  SESSION transaction_isolation = 'READ-COMMITTED'`
const OLD_WRITER = WRITER.replace('transaction_isolation', 'tx_isolation')
const UNKNOWN_VARIABLE = 1193

/** One connection. Values stay text: the readers of this connector know the types better than the driver's parsers. */
export class MysqlConnection implements SqlConnection {
  readonly #client: Connection
  readonly zeroDates: ZeroDates
  #broken = false
  zone = 'UTC'

  constructor(client: Connection, zeroDates: ZeroDates) {
    this.#client = client
    this.zeroDates = zeroDates
    // A connection that ends between two statements says so here; the next statement would fail anyway.
    client.on('error', () => {
      this.#broken = true
    })
    client.on('end', () => {
      this.#broken = true
    })
  }

  get broken(): boolean {
    return this.#broken
  }

  run(statement: SqlStatement | string): Promise<SqlResult> {
    const sql = textOf(statement)
    return new Promise((resolve, reject) => {
      this.#client.query({ sql, rowsAsArray: true, typeCast: false }, (error, answer, fields) => {
        if (error !== null) {
          this.#mark(error)
          reject(error)
          return
        }
        const columns = Array.isArray(answer) ? (fields ?? []).map(columnOf) : []
        const rows = Array.isArray(answer) ? (answer as unknown as Bytes[]).map((row) => decodeRow(columns, row)) : []
        const affected = Array.isArray(answer) ? rows.length : (answer as ResultSetHeader).affectedRows
        resolve({ columns, rows, affected, command: '' })
      })
    })
  }

  /** Streams a result: the server waits while nobody fetches. */
  open(statement: SqlStatement): SqlCursor {
    return new StreamedRows(this.#client, textOf(statement), (error) => this.#mark(error))
  }

  async close(): Promise<void> {
    this.#broken = true
    // An open statement ends with its socket.
    this.#client.destroy()
  }

  #mark(error: QueryError): void {
    if (!isOfServer(error) || error.fatal === true) this.#broken = true
  }
}

type Bytes = readonly (Buffer | null)[]

class StreamedRows implements SqlCursor {
  readonly #client: Connection
  #columns: readonly MysqlColumn[] = []
  #rows: SqlRow[] = []
  #ended = false
  #error: QueryError | undefined
  #wake: (() => void) | undefined
  #wanted = 0

  constructor(client: Connection, sql: string, onError: (error: QueryError) => void) {
    this.#client = client
    const query = client.query({ sql, rowsAsArray: true, typeCast: false })
    query.on('fields', (fields: FieldPacket[]) => {
      this.#columns = fields.map(columnOf)
    })
    query.on('result', (row: unknown) => {
      this.#rows.push(decodeRow(this.#columns, row as Bytes))
      if (this.#rows.length >= this.#wanted) {
        client.pause()
        this.#wake?.()
      }
    })
    query.on('error', (error: QueryError) => {
      onError(error)
      this.#error = error
      this.#wake?.()
    })
    query.on('end', () => {
      this.#ended = true
      this.#wake?.()
    })
  }

  async fetch(limit: number): Promise<SqlResult> {
    this.#wanted = limit
    while (this.#rows.length < limit && !this.#ended && this.#error === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        this.#client.resume()
      })
    }
    if (this.#error !== undefined) throw this.#error
    const rows = this.#rows.splice(0, limit)
    return { columns: this.#columns, rows, affected: rows.length, command: '' }
  }

  async close(): Promise<void> {
    // The querier closes at the end of the result; whoever stops earlier closes the connection.
    if (!this.#ended && this.#error === undefined) await this.fetch(1)
  }
}

function textOf(statement: SqlStatement | string): string {
  if (typeof statement === 'string') return statement
  const { text, values } = statement
  if (values === undefined || values.length === 0) return text
  let at = 0
  // A question mark inside of quotes is text: names and custom queries may hold one.
  return text.replace(QUOTED_OR_PLACE, (part) => (part === '?' ? literal(values[at++] ?? null) : part))
}

const QUOTED_OR_PLACE =
  /'(?:[^'\\]|\\[^]|'')*'|"(?:[^"\\]|\\[^]|"")*"|`(?:[^`]|``)*`|--[ \t][^\n]*|#[^\n]*|\/\*[^]*?\*\/|\?/g

function columnOf(field: FieldPacket): MysqlColumn {
  const { name, columnType, flags, columnLength, decimals, characterSet } = field as unknown as {
    name: string
    columnType: number
    flags: number
    columnLength: number
    decimals: number
    characterSet: number
  }
  const isBinary = columnType === BIT_TYPE || (characterSet === BINARY_CHARSET && BYTE_TYPES.has(columnType))
  return {
    name,
    type: columnType,
    flags,
    length: columnLength,
    decimals,
    isBinary: isBinary && columnType !== JSON_TYPE,
  }
}

/** Bytes become hexadecimal digits, everything else is text. */
function decodeRow(columns: readonly MysqlColumn[], row: Bytes): SqlRow {
  const values: SqlText[] = []
  for (let i = 0; i < columns.length; i++) {
    const bytes = row[i] as Buffer | null
    values[i] = bytes === null ? null : bytes.toString((columns[i] as MysqlColumn).isBinary ? 'hex' : 'utf8')
  }
  return values
}

/** Connects to the first server that answers. One attempt; the caller repeats. */
export async function connectMysql(settings: ConnectionSettings, purpose: 'read' | 'write'): Promise<SqlConnection> {
  const properties = driverProperties(settings)
  const failures: string[] = []
  let last: unknown
  for (const host of settings.url.hosts) {
    try {
      return await connectHost(host, properties, purpose)
    } catch (error) {
      last = error
      failures.push(`${host.host}:${host.port}: ${describeFailure(error, false)}`)
    }
  }
  if (settings.url.hosts.length === 1) throw last
  throw new ConnectError(failures.join('; '), { cause: last })
}

async function connectHost(
  host: HostPort,
  properties: MysqlProperties,
  purpose: 'read' | 'write',
): Promise<SqlConnection> {
  const connection = new MysqlConnection(await connectClient(host, properties), properties.zeroDates)
  try {
    const zone = await connection.run("SELECT IF(@@time_zone = 'SYSTEM', @@system_time_zone, @@time_zone)")
    connection.zone = zone.rows[0]?.[0] ?? 'UTC'
    await connection.run(SESSION)
    if (purpose === 'write') {
      await connection.run(WRITER).catch((error: QueryError) => {
        // The variable had another name before MySQL 8 and in MariaDB before 11.1.
        if (error.errno !== UNKNOWN_VARIABLE) throw error
        return connection.run(OLD_WRITER)
      })
    }
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Walks through the ways that sslMode allows, encrypted or plain. */
async function connectClient(host: HostPort, properties: MysqlProperties): Promise<Connection> {
  // Loaded here, so that only a process in which a task runs pays for the driver.
  const driver = await import('mysql2')
  const attempt = (encrypted: boolean): Promise<Connection> => {
    const options: ConnectionOptions = {
      ...properties.client,
      ...(properties.socketPath === undefined
        ? { host: host.host, port: host.port }
        : { socketPath: properties.socketPath }),
      ...(encrypted ? { ssl: properties.tls() } : {}),
    }
    return new Promise((resolve, reject) => {
      const client = driver.createConnection(options)
      // Without a listener an error that arrives while connecting would end the process.
      client.on('error', () => undefined)
      client.connect((error) => {
        if (error === null) resolve(client)
        else {
          client.destroy()
          reject(error)
        }
      })
    })
  }
  if (properties.sslMode !== 'preferred') return attempt(properties.sslMode !== 'disabled')
  return attempt(true).catch((error: unknown) => {
    if ((error as { code?: unknown }).code === 'HANDSHAKE_NO_SSL_SUPPORT') return attempt(false)
    throw error
  })
}
