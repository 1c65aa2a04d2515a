// The databases of the JDBC connectors behind one door, so that what holds for all is tested on all.
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { mariadbMissing, startMariaDb } from '../../services/mariadb.ts'
import { postgresMissing, startPostgres } from '../../services/postgres.ts'
import { connectionOf } from './jdbc-tasks.ts'
import type { Raw } from './task-contract.ts'

export interface TestDatabase {
  /** `connection.*` keys. */
  readonly connection: Raw
  /** Runs one statement and gives its rows. */
  query(sql: string): Promise<Record<string, any>[]>
  /** Cuts the connections of others, or crashes and comes back where there is no other way. */
  crash(): Promise<void>
  stop(): Promise<void>
}

export interface DatabaseKind {
  readonly name: string
  readonly isMissing: boolean
  start(): Promise<TestDatabase>
  /** Types in this database's own words. */
  readonly types: { readonly text: string; readonly key: string; readonly timestamp: string; readonly decimal: string }
  /** `2024-01-01` and so many milliseconds. */
  at(ms: string): string
  /** Statements that make each row written to the table take about so many milliseconds. */
  slowInserts(table: string): readonly string[]
  /** A query that counts so many rows, `g`. */
  series(count: number): string
}

const postgres: DatabaseKind = {
  name: 'Postgres 18',
  isMissing: postgresMissing(18) !== null,
  types: { text: 'text', key: 'bigint', timestamp: 'timestamp', decimal: 'numeric(12,2)' },
  at: (ms) => `timestamp '2024-01-01' + (${ms}) * interval '1 millisecond'`,
  slowInserts: (table) => [
    "create function dawdle() returns trigger language plpgsql as 'begin perform pg_sleep(0.001); return new; end'",
    `create trigger dawdle before insert on ${table} for each row execute function dawdle()`,
  ],
  series: (count) => `select g from generate_series(1, ${count}) g`,
  async start() {
    const server = await startPostgres({ version: 18 })
    return {
      connection: connectionOf(server),
      query: (sql) => server.query(sql),
      async crash() {
        await server.kill()
        await server.restart()
      },
      stop: () => server.stop(),
    }
  },
}

const recursive = (count: number): string =>
  `with recursive series(g) as (select 1 union all select g + 1 from series where g < ${count}) select g from series`

const mariadb: DatabaseKind = {
  name: 'MariaDB',
  isMissing: mariadbMissing(),
  types: { text: 'text', key: 'bigint', timestamp: 'datetime(6)', decimal: 'decimal(12,2)' },
  at: (ms) => `timestamp '2024-01-01 00:00:00' + interval floor(${ms}) * 1000 microsecond`,
  slowInserts: (table) => [`create trigger dawdle before insert on ${table} for each row do sleep(0.001)`],
  series: (count) => `select seq as g from seq_1_to_${count}`,
  async start() {
    const server = await startMariaDb()
    return {
      connection: {
        'connection.url': `jdbc:mariadb://${server.host}:${server.port}/${server.database}`,
        'connection.user': server.user,
        'connection.password': server.password,
        'connection.backoff.ms': '100',
      },
      query: (sql) => server.query(sql),
      async crash() {
        await server.kill()
        await server.restart()
      },
      stop: () => server.stop(),
    }
  },
}

const sqlite: DatabaseKind = {
  name: 'SQLite',
  isMissing: false,
  types: { text: 'text', key: 'integer', timestamp: 'timestamp', decimal: 'numeric(12,2)' },
  at: (ms) => `strftime('%Y-%m-%d %H:%M:%f', '2024-01-01', ((${ms}) / 1000.0) || ' seconds')`,
  slowInserts: (table) => [
    `create trigger dawdle before insert on ${table} begin select count(*) from (${recursive(5000)}); end`,
  ],
  series: recursive,
  async start() {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-sqlite-'))
    const file = join(folder, 'shop.db')
    const database = new DatabaseSync(file, { timeout: 60_000 })
    // Readers and a writer at the same time, as in production.
    database.exec('pragma journal_mode = wal')
    return {
      connection: { 'connection.url': `jdbc:sqlite:${file}`, 'connection.backoff.ms': '100' },
      query: async (sql) => database.prepare(sql).all() as Record<string, unknown>[],
      crash: async () => undefined,
      async stop() {
        database.close()
        await rm(folder, { recursive: true, force: true })
      },
    }
  },
}

export const databases: readonly DatabaseKind[] = [postgres, mariadb, sqlite]
