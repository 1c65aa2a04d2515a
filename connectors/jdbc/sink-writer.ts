import { DataError, isConnectError, type Schema, type SinkRecord } from '@millrace/sdk'
import { quotingOf } from './connection-config.ts'
import type { ColumnDescription, Dialect } from './dialect.ts'
import { type Change, plainChange, unwrapDebezium } from './envelope.ts'
import { chooseFields, type RowField } from './row-fields.ts'
import type { Binder, BindOptions, WriteColumn, WriteStatements } from './sink-dialect.ts'
import type { SinkConfig } from './sink-config.ts'
import { SinkTables } from './sink-tables.ts'
import type { BoundRow, SqlConnection, SqlValue } from './sql.ts'
import { type RowKey, TableBuffer } from './table-buffer.ts'
import { quotedName, type TableId } from './table-id.ts'
import { tableForTopic } from './table-name.ts'
import { utc, zoneOf } from './zone.ts'

/** All that is worked out once for a table and a pair of schemas. */
interface WritePlan {
  readonly columns: readonly WriteColumn[]
  readonly statements: WriteStatements
  readonly fields: readonly RowField[]
  readonly binders: readonly Binder[]
  /** Where the columns of the key are, in the order of their names: rows and deletes list them in different orders. */
  readonly keysAt: readonly number[]
}

interface TableState {
  readonly table: TableId
  readonly buffer: TableBuffer<WritePlan>
  readonly plans: Map<string, WritePlan>
  /** The plan of the last record, for the common case that nothing changes. */
  last: { keySchema: Schema | null; valueSchema: Schema | null; plan: WritePlan } | undefined
}

const PREPARED_MAX = 200
const TABLES_MAX = 1000
/** Bounds memory when schemas change with every record. */
const PLANS_MAX = 100

/** Where a record is, for messages. */
export function placeOf(record: SinkRecord): string {
  return `(topic='${record.topic}',partition=${record.partition},offset=${record.offset},timestamp=${record.timestamp})`
}

/** Turns records into statements inside a transaction that the caller begins and ends. */
export class SinkWriter {
  readonly #dialect: Dialect
  readonly #config: SinkConfig
  readonly #connectorName: string
  readonly #bind: BindOptions
  readonly #tables: SinkTables
  readonly #states = new Map<string, TableState>()
  readonly #topics = new Map<string, TableState>()
  readonly #fingerprints = new WeakMap<Schema, string>()
  #prepared = new Map<string, string>()
  #preparedOn: SqlConnection | undefined
  #skipped = 0

  constructor(dialect: Dialect, config: SinkConfig, connectorName: string) {
    this.#dialect = dialect
    this.#config = config
    this.#connectorName = connectorName
    const zone = zoneOf(config['db.timezone'])
    this.#bind = {
      zone,
      dateZone: config['date.timezone'] === 'UTC' ? utc : zone,
      calendar: config['date.calendar.system'],
      timestampFields: new Set(config['timestamp.fields.list']),
      timestampUnitsPerSecond: config['timestamp.precision.mode'] === 'nanoseconds' ? 1_000_000_000 : 1_000_000,
    }
    this.#tables = new SinkTables(dialect, config, {
      identifier: (name) => dialect.identifier(name, quotingOf(config)),
      debeziumTypes: config['envelope.unwrap'] === 'debezium',
      bind: this.#bind,
    })
  }

  /** Change events that change no row (truncate, message) since the start. */
  get skipped(): number {
    return this.#skipped
  }

  /** Drops what is buffered and all that was learnt of tables: the transaction rolled back. */
  reset(): void {
    this.#tables.forget()
    this.#states.clear()
    this.#topics.clear()
  }

  /** Writes the records; when it returns, every statement of them has run. */
  async write(connection: SqlConnection, records: readonly SinkRecord[]): Promise<void> {
    const touched = new Set<TableState>()
    let last: TableState | undefined
    for (const record of records) {
      const change = this.#config['envelope.unwrap'] === 'debezium' ? unwrapDebezium(record) : plainChange(record)
      if (change === undefined) {
        this.#skipped++
        continue
      }
      const state = this.#stateOf(record.topic)
      if (state !== last) touched.add(state)
      last = state
      const isDelete = change.value === null || change.value === undefined
      if (isDelete && this.#ignoresDelete(record)) continue
      const plan = this.#planFast(change, state) ?? (await this.#plan(connection, change, state))
      // A table that is yet to be created holds no row to delete.
      if (plan === undefined) continue
      const waits = isDelete ? this.#addDelete(state, plan, change, true) : this.#addRow(state, plan, change, true)
      if (waits) {
        await this.#flush(connection, state)
        if (isDelete) this.#addDelete(state, plan, change, false)
        else this.#addRow(state, plan, change, false)
      }
      if (state.buffer.isFull) await this.#flush(connection, state)
    }
    for (const state of touched) await this.#flush(connection, state)
  }

  /** Adds a row, or says that the buffer must be flushed first. */
  #addRow(state: TableState, plan: WritePlan, change: Change, mayWait: boolean): boolean {
    const row = bindRow(plan, change)
    const key = plan.keysAt.length === 0 ? undefined : keyOf(plan, row)
    if (mayWait && state.buffer.mustFlushBeforeRow(plan, key)) return true
    state.buffer.addRow(plan, key, row)
    return false
  }

  #addDelete(state: TableState, plan: WritePlan, change: Change, mayWait: boolean): boolean {
    const row = bindRow(plan, change)
    const key = keyOf(plan, row)
    if (mayWait && state.buffer.mustFlushBeforeDelete(plan, key)) return true
    state.buffer.addDelete(plan, key, row)
    return false
  }

  /** A tombstone behind Debezium's own delete event says nothing new; all other deletes need delete.enabled. */
  #ignoresDelete(record: SinkRecord): boolean {
    if (this.#config['delete.enabled']) return false
    if (this.#config['envelope.unwrap'] === 'debezium' && record.value === null) return true
    throw new DataError(
      `Sink connector '${this.#connectorName}' is configured with 'delete.enabled=false' and ` +
        `'pk.mode=${this.#config['pk.mode']}' and therefore requires records with a value, but found a ` +
        `delete at ${placeOf(record)}; set delete.enabled=true and pk.mode=record_key, or drop such ` +
        'records with a transform',
    )
  }

  #stateOf(topic: string): TableState {
    let state = this.#topics.get(topic)
    if (state === undefined) {
      if (this.#topics.size >= TABLES_MAX) throw new DataError(`more than ${TABLES_MAX} topics in one sink task`)
      const table = tableForTopic(this.#config, topic, this.#dialect.sink.storedName)
      const name = quotedName(table)
      state = this.#states.get(name)
      if (state === undefined) {
        const rules = { mode: this.#config['insert.mode'], sizeMax: this.#config['batch.size'] }
        state = { table, buffer: new TableBuffer<WritePlan>(rules), plans: new Map(), last: undefined }
        this.#states.set(name, state)
      }
      this.#topics.set(topic, state)
    }
    return state
  }

  #planFast(change: Change, state: TableState): WritePlan | undefined {
    const { last } = state
    if (last === undefined || change.unchanged !== undefined) return undefined
    return last.keySchema === change.record.keySchema && last.valueSchema === change.valueSchema ? last.plan : undefined
  }

  async #plan(connection: SqlConnection, change: Change, state: TableState): Promise<WritePlan | undefined> {
    const { record, unchanged } = change
    const keySchema = this.#config['pk.mode'] === 'record_key' ? record.keySchema : null
    this.#checkSchema(change)
    const without = unchanged === undefined ? '' : [...unchanged].sort().join(',')
    const signature = `${this.#fingerprint(keySchema)}|${this.#fingerprint(change.valueSchema)}|${without}`
    let plan = state.plans.get(signature)
    if (plan === undefined) {
      // A schema that was not seen before may change the table, so all that is buffered goes first.
      await this.#flush(connection, state)
      const isDelete = change.valueSchema === null
      if (isDelete && this.#config['auto.create'] && !(await this.#tables.exists(connection, state.table)))
        return undefined
      if (state.plans.size >= PLANS_MAX) state.plans.clear()
      plan = await this.#makePlan(connection, change, keySchema, state.table)
      state.plans.set(signature, plan)
    }
    if (unchanged === undefined) state.last = { keySchema: record.keySchema, valueSchema: change.valueSchema, plan }
    return plan
  }

  async #makePlan(
    connection: SqlConnection,
    change: Change,
    keySchema: Schema | null,
    table: TableId,
  ): Promise<WritePlan> {
    const chosen = chooseFields(this.#config, keySchema, change.valueSchema, this.#dialect.sink.storedName)
    const isDelete = change.valueSchema === null
    if (!isDelete && this.#config['insert.mode'] !== 'insert' && chosen.keys.length === 0) {
      throw new DataError(`insert.mode=${this.#config['insert.mode']} needs a primary key: set pk.mode`)
    }
    const fields = chosen.fields.filter((field) => field.isKey || change.unchanged?.has(field.name) !== true)
    const description = await this.#tables.prepare(connection, table, fields)
    const found = fields.map((field) => this.#tables.columnOf(description, field.name) as ColumnDescription)
    const quoting = quotingOf(this.#config)
    const columns = fields.map((field, at): WriteColumn => {
      const { name, type, isArray } = found[at] as ColumnDescription
      return {
        identifier: this.#dialect.identifier(name, quoting),
        type,
        isArray,
        isKey: field.isKey,
        form: this.#dialect.sink.formOf?.(field.name, field.schema, type, this.#bind) ?? 'text',
      }
    })
    return {
      columns,
      statements: this.#dialect.sink.writeStatements(this.#tables.identifier(table), columns),
      fields,
      binders: fields.map((field, at) =>
        this.#dialect.sink.binder(field.name, field.schema, (found[at] as ColumnDescription).type, this.#bind),
      ),
      keysAt: fields
        .flatMap((field, at) => (field.isKey ? [{ name: field.name, at }] : []))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ at }) => at),
    }
  }

  #checkSchema({ record, value, valueSchema }: Change): void {
    if (value === null || value === undefined || valueSchema !== null) return
    throw new DataError(
      `Sink connector '${this.#connectorName}' requires records with a Struct or String value and a ` +
        `schema, but found record at ${placeOf(record)} with a ${kindOf(value)} value and null value ` +
        'schema; use a converter that carries schemas (JsonConverter with schemas.enable=true, Avro, ' +
        'Protobuf)',
    )
  }

  /** Schemas that look alike share a plan, though a converter may make a new object for each record. */
  #fingerprint(schema: Schema | null): string {
    if (schema === null) return ''
    let text = this.#fingerprints.get(schema)
    if (text === undefined) {
      text = JSON.stringify(schema, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each))
      this.#fingerprints.set(schema, text)
    }
    return text
  }

  async #flush(connection: SqlConnection, state: TableState): Promise<void> {
    if (state.buffer.isEmpty) return
    const { plan, rows, deletePlan, deletes } = state.buffer.take()
    if (deletePlan !== undefined && deletes.length > 0) await this.#run(connection, deletePlan, 'delete', deletes)
    if (plan !== undefined && rows.length > 0) await this.#run(connection, plan, this.#config['insert.mode'], rows)
  }

  async #run(
    connection: SqlConnection,
    plan: WritePlan,
    kind: keyof WriteStatements,
    rows: readonly BoundRow[],
  ): Promise<void> {
    const text = plan.statements[kind]
    const name = this.#preparedName(connection, text)
    for (const statement of this.#dialect.sink.bindRows(text, name, plan.columns, rows)) await connection.run(statement)
  }

  /** Statements are prepared once per connection, up to a bound. */
  #preparedName(connection: SqlConnection, text: string): string | undefined {
    if (this.#preparedOn !== connection) {
      this.#preparedOn = connection
      this.#prepared = new Map()
    }
    let name = this.#prepared.get(text)
    if (name === undefined && this.#prepared.size < PREPARED_MAX) {
      name = `millrace_${this.#prepared.size + 1}`
      this.#prepared.set(text, name)
    }
    return name
  }
}

function kindOf(value: unknown): string {
  if (value instanceof Map || (typeof value === 'object' && !Array.isArray(value))) return 'HashMap'
  return Array.isArray(value) ? 'ArrayList' : typeof value
}

function bindRow(plan: WritePlan, change: Change): BoundRow {
  const { fields, binders } = plan
  const row: SqlValue[] = []
  for (let i = 0; i < fields.length; i++) {
    const value = (fields[i] as RowField).value(change)
    try {
      row[i] = value === null || value === undefined ? null : (binders[i] as Binder)(value)
    } catch (error) {
      if (isConnectError(error)) throw error
      throw new DataError(`the value of the field ${(fields[i] as RowField).name} cannot be written`, { cause: error })
    }
  }
  return row
}

function keyOf({ keysAt }: WritePlan, row: BoundRow): RowKey {
  if (keysAt.length === 1) return partOfKey(row[keysAt[0] as number])
  let key = ''
  for (const at of keysAt) key += `${partOfKey(row[at])}\u0000`
  return key
}

/** A number and its text are one key: the schema of a delete may have the one where that of a row has the other. */
function partOfKey(value: SqlValue | undefined): RowKey {
  if (typeof value === 'number') return value
  if (value === null || value === undefined) return '\u0001'
  const text = value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : String(value)
  const number = Number(text)
  return String(number) === text ? number : text
}
