import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { ConfigError } from '@millrace/sdk'
import type { ConnectionSettings } from '../connection-config.ts'
import type {
  ResultColumn,
  SqlConnection,
  SqlCursor,
  SqlResult,
  SqlRow,
  SqlStatement,
  SqlText,
  SqlValue,
} from '../sql.ts'
import { isBusy, isMissingFile } from './failures.ts'
import { type FileProperties, fileProperties } from './file-properties.ts'

/** A column as the file declares it; of an expression the type is what its first value is. */
export interface SqliteColumn extends ResultColumn {
  readonly declared: string
  readonly isExpression: boolean
  /** Null: an expression. */
  readonly origin: { readonly table: string; readonly column: string } | null
}

type Value = null | number | bigint | string | Uint8Array

const BUSY_PAUSE_MS = 10
const STATEMENTS_MAX = 200

/** Whether a column of this declared type holds bytes. */
export const isBytes = (declared: string): boolean => /BLOB|BINARY|BYTEA/i.test(declared)

/**
 * One connection to a file. The database runs in our process, so a statement holds the thread; a wait for another
 * writer does not.
 */
export class SqliteConnection implements SqlConnection {
  readonly #database: DatabaseSync
  readonly #busyMs: number
  readonly #prepared = new Map<string, StatementSync>()
  #broken = false
  readonly zone = 'UTC'

  constructor(database: DatabaseSync, busyMs: number) {
    this.#database = database
    this.#busyMs = busyMs
  }

  get broken(): boolean {
    return this.#broken
  }

  async run(statement: SqlStatement | string): Promise<SqlResult> {
    const { text, values, batch } = typeof statement === 'string' ? { text: statement } : (statement as SqlStatement)
    const prepared = await this.#patiently(() => this.#prepare(text))
    if (batch !== undefined) {
      let affected = 0
      for (const row of batch) affected += await this.#execute(prepared, row)
      return { columns: [], rows: [], affected, command: '' }
    }
    if (prepared.columns().length === 0) {
      const affected = await this.#execute(prepared, values ?? [])
      return { columns: [], rows: [], affected, command: '' }
    }
    const found = (await this.#patiently(() => prepared.all(...(values ?? [])))) as unknown as Value[][]
    const columns = columnsOf(prepared, found)
    return { columns, rows: found.map((row) => decodeRow(columns, row)), affected: found.length, command: '' }
  }

  /** Reads a result row by row. The transaction of a read ends with the iterator. */
  async open(statement: SqlStatement): Promise<SqlCursor> {
    const prepared = await this.#patiently(() => this.#database.prepare(statement.text))
    prepared.setReadBigInts(true)
    prepared.setReturnArrays(true)
    let rows: Iterator<unknown> | undefined
    let columns: readonly SqliteColumn[] | undefined
    return {
      fetch: async (limit) => {
        const values = (statement.values ?? []) as SQLInputValue[]
        rows ??= prepared.iterate(...values) as Iterator<unknown>
        const iterator = rows
        const found: Value[][] = []
        while (found.length < limit) {
          const next = await this.#patiently(() => iterator.next())
          if (next.done === true) break
          found.push(next.value as Value[])
        }
        columns ??= columnsOf(prepared, found)
        const described = columns
        return { columns, rows: found.map((row) => decodeRow(described, row)), affected: found.length, command: '' }
      },
      async close() {
        rows?.return?.()
      },
    }
  }

  async close(): Promise<void> {
    if (this.#broken) return
    this.#broken = true
    this.#prepared.clear()
    this.#database.close()
  }

  async #execute(prepared: StatementSync, values: readonly SqlValue[]): Promise<number> {
    const run = () => Number(prepared.run(...(values as SQLInputValue[])).changes)
    try {
      return run()
    } catch (error) {
      if (!isBusy(error)) throw error
      return this.#patiently(run)
    }
  }

  #prepare(text: string): StatementSync {
    let prepared = this.#prepared.get(text)
    if (prepared === undefined) {
      prepared = this.#database.prepare(text)
      prepared.setReadBigInts(true)
      prepared.setReturnArrays(true)
      if (this.#prepared.size >= STATEMENTS_MAX) this.#prepared.clear()
      this.#prepared.set(text, prepared)
    }
    return prepared
  }

  /** Tries again while another connection holds the lock, and leaves the thread to others in between. */
  async #patiently<T>(step: () => T): Promise<T> {
    const until = performance.now() + this.#busyMs
    for (;;) {
      try {
        return step()
      } catch (error) {
        if (!isBusy(error) || this.#broken || performance.now() >= until) throw error
      }
      await sleep(BUSY_PAUSE_MS)
    }
  }
}

function columnsOf(prepared: StatementSync, rows: readonly Value[][]): readonly SqliteColumn[] {
  return prepared.columns().map(({ name, type, table, column }, at) => ({
    name,
    declared: type ?? typeOf(rows.find((row) => row[at] !== null)?.[at] ?? null),
    isExpression: type === null,
    origin: table === null || column === null ? null : { table, column },
  }))
}

function typeOf(value: Value): string {
  if (typeof value === 'bigint') return 'INTEGER'
  if (typeof value === 'number') return 'REAL'
  return typeof value === 'object' && value !== null ? 'BLOB' : 'TEXT'
}

/** A column takes values of any type; what its declared type says decides how they are read: as bytes, or as text. */
function decodeRow(columns: readonly SqliteColumn[], row: readonly Value[]): SqlRow {
  const values: SqlText[] = []
  for (let i = 0; i < columns.length; i++) {
    const value = row[i] as Value
    if (value === null) values[i] = null
    else if (isBytes((columns[i] as SqliteColumn).declared)) {
      values[i] = Buffer.from(typeof value === 'object' ? value : String(value)).toString('hex')
    } else if (typeof value === 'object') values[i] = Buffer.from(value).toString('utf8')
    else values[i] = String(value)
  }
  return values
}

/** Opens the file. A reader never makes it; a writer does, as the JDBC driver does. */
export async function connectSqlite(settings: ConnectionSettings, purpose: 'read' | 'write'): Promise<SqlConnection> {
  const properties: FileProperties = fileProperties(settings)
  // Loaded here, so that only a process in which a task runs pays for the database.
  const [{ DatabaseSync }, { existsSync }] = await Promise.all([import('node:sqlite'), import('node:fs')])
  if (purpose === 'read' && !existsSync(properties.file)) throw missing(properties.file)
  let database: DatabaseSync
  try {
    database = new DatabaseSync(properties.file, {
      enableForeignKeyConstraints: properties.foreignKeys,
      // We wait ourselves, without holding the thread.
      timeout: 0,
    })
  } catch (error) {
    if (isMissingFile(error)) throw missing(properties.file)
    throw error
  }
  const connection = new SqliteConnection(database, properties.busyMs)
  try {
    for (const pragma of properties.pragmas) await connection.run(pragma)
    // A file that is no database says so at the first look.
    await connection.run('SELECT COUNT(*) FROM sqlite_master')
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

function missing(file: string): ConfigError {
  return new ConfigError(`connection.url: the file ${file} cannot be opened; check that it and its folder exist`, {
    key: 'connection.url',
  })
}
