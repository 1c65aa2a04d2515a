import { type ConnectionOptions, PostgresConnection } from '../_shared/postgres-wire/index.ts'
import type { Config } from './config.ts'

/** Fixed session settings: the text that Postgres prints must not depend on the server's configuration. */
const SESSION = {
  application_name: 'millrace-postgres-cdc',
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  extra_float_digits: '3',
  bytea_output: 'hex',
  lc_monetary: 'C',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
}

export function connectionOptions(config: Config, replication: boolean): ConnectionOptions {
  return {
    host: config['database.hostname'],
    port: config['database.port'],
    user: config['database.user'],
    password: config['database.password'] ?? undefined,
    database: config['database.dbname'],
    sslmode: config['database.sslmode'],
    sslrootcert: config['database.sslrootcert'] ?? undefined,
    sslcert: config['database.sslcert'] ?? undefined,
    sslkey: config['database.sslkey'] ?? undefined,
    sslpassword: config['database.sslpassword'] ?? undefined,
    tcpKeepAlive: config['database.tcpKeepAlive'],
    connectTimeoutMs: config['connection.validation.timeout.ms'],
    parameters: SESSION,
    replication,
  }
}

/** Splits at semicolons; two of them stand for one. */
const statementsOf = (text: string | null): string[] =>
  (text ?? '')
    .split(/(?<!;);(?!;)/)
    .map((statement) => statement.replaceAll(';;', ';').trim())
    .filter((statement) => statement !== '')

/** Opens a connection for SQL. */
export async function connectSql(config: Config): Promise<PostgresConnection> {
  const connection = await PostgresConnection.connect(connectionOptions(config, false))
  try {
    for (const statement of statementsOf(config['database.initial.statements'])) await connection.query(statement)
    return connection
  } catch (error) {
    connection.destroy()
    throw error
  }
}

/** One SQL connection that is made when it is needed, and made again after it broke. */
export class SqlSession {
  readonly #config: Config
  #connection: Promise<PostgresConnection> | undefined

  constructor(config: Config) {
    this.#config = config
  }

  async get(): Promise<PostgresConnection> {
    const existing = await this.#connection?.catch(() => undefined)
    if (existing?.isOpen) return existing
    this.#connection = connectSql(this.#config)
    return await this.#connection
  }

  /** Closes at once; a connection that is still being made is closed when it is there. */
  close(): void {
    const connection = this.#connection
    this.#connection = undefined
    connection?.then(
      (open) => open.destroy(),
      () => undefined,
    )
  }
}
