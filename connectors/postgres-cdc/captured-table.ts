import { type Schema, struct, withOptions } from '@millrace/sdk'
import { schemaDefault } from './column-default.ts'
import { envelopeSchema } from './envelope-schemas.ts'
import type { Filters, KeyRule } from './filters.ts'
import { JsonOutput } from '../_shared/json-output/index.ts'
import { writeJsonValue } from './json/json-value.ts'
import { NULL_VALUE, RowLocator, UNCHANGED } from './row-locator.ts'
import type { EnvelopeTail } from './envelope-tail.ts'
import type { TopicNames } from './topic-names.ts'
import type { ColumnCodec, TypeOptions } from './types/column-codec.ts'
import { codecOf, type PostgresType, unknownCodec } from './types/registry.ts'

/**
 * A column of a row as it arrives: from the catalogue (snapshot) or a relation message with the catalogue's
 * details.
 */
export interface RowColumn {
  readonly name: string
  readonly type: PostgresType | undefined
  readonly typeModifier: number
  readonly notNull: boolean
  readonly defaultExpression: string | undefined
}

/** What all tables of a task share. */
export interface TableSettings {
  readonly types: TypeOptions
  readonly includeUnknown: boolean
  readonly placeholder: Buffer
  readonly filters: Filters
  readonly keyRules: readonly KeyRule[]
  readonly topics: TopicNames
  /** Builds the part of the envelope behind the rows. */
  readonly tail: (schema: string, table: string) => EnvelopeTail
  /** Says which column was left out for want of a type. */
  readonly onUnknownType?: (column: string, type: string) => void
}

/** A column ready to be written. */
interface WrittenColumn {
  /** Its place in the row. */
  readonly index: number
  readonly name: string
  readonly schema: Schema
  readonly codec: ColumnCodec
  /** `{"name":`, as the first column of a row begins in JSON. */
  readonly firstName: Buffer
  /** `,"name":`, as the others begin. */
  readonly nextName: Buffer
  /** What stands for a null: the default, the fallback of a NOT NULL column that was not sent, or null. */
  readonly nullValue: unknown
  readonly nullJson: Buffer
  readonly unchangedValue: unknown
  readonly unchangedJson: Buffer
}

/** The locators of the row being written and of its old version; one pair serves all tables. */
const locator = new RowLocator()
const oldLocator = new RowLocator()

/** One version of a captured table: its schemas, and writers compiled for its columns. */
export class CapturedTable {
  readonly schemaName: string
  readonly tableName: string
  readonly topic: string
  readonly keySchema: Schema | null
  readonly valueSchema: Schema
  readonly envelopeSchema: Schema
  readonly tail: EnvelopeTail
  /** Columns of a row as it arrives, captured or not. */
  readonly columnCount: number
  /** Whether the old row of an update has all key columns, so that a changed key shows. */
  readonly oldRowHasKey: boolean
  readonly #columns: readonly WrittenColumn[]
  readonly #keys: readonly WrittenColumn[]
  readonly #enums: readonly { index: number; labels: ReadonlySet<string> }[]

  constructor(
    name: { schema: string; table: string },
    columns: readonly RowColumn[],
    key: { columns: readonly string[]; inOldRow: (column: string) => boolean },
    settings: TableSettings,
  ) {
    this.schemaName = name.schema
    this.tableName = name.table
    this.columnCount = columns.length
    this.topic = settings.topics.data(name.schema, name.table)
    const all = columns.flatMap((column, index) => compileColumn(column, index, settings))
    const captured = (column: string): boolean => settings.filters.column(name.schema, name.table, column)
    this.#columns = all.filter((column) => captured(column.name))
    const keyNames = keyColumnsOf(name, key.columns, settings.keyRules)
    this.#keys = keyNames.flatMap((wanted) => all.filter((column) => column.name === wanted))
    this.oldRowHasKey = keyNames.every(key.inOldRow)
    this.keySchema = this.#keys.length === 0 ? null : rowSchema(this.#keys, { name: `${this.topic}.Key` })
    this.valueSchema = rowSchema(this.#columns, { name: `${this.topic}.Value`, optional: true })
    this.envelopeSchema = envelopeSchema(`${this.topic}.Envelope`, this.valueSchema)
    this.tail = settings.tail(name.schema, name.table)
    this.#enums = columns.flatMap((column, index) =>
      column.type?.kind === 'e' ? [{ index, labels: new Set(column.type.labels) }] : [],
    )
  }

  /** True when a tuple has an enum label that the schema does not know: it was added after the schema was made. */
  hasUnknownLabel(buffer: Buffer, tupleStart: number): boolean {
    if (this.#enums.length === 0) return false
    locator.tuple(buffer, tupleStart)
    return this.#enums.some(({ index, labels }) => {
      const end = locator.ends[index] as number
      return end >= 0 && !labels.has(buffer.toString('utf8', locator.starts[index] as number, end))
    })
  }

  /** Finds the values of a tuple; unchanged large values are taken from the old tuple where there is a full one. */
  #locateTuple(buffer: Buffer, start: number, fullOldStart: number): void {
    locator.tuple(buffer, start)
    locator.expect(this.columnCount)
    if (fullOldStart < 0) return
    let old = false
    for (let index = 0; index < locator.count; index++) {
      if (locator.ends[index] !== UNCHANGED) continue
      if (!old) {
        oldLocator.tuple(buffer, fullOldStart)
        locator.forget()
      }
      old = true
      locator.starts[index] = oldLocator.starts[index] as number
      locator.ends[index] = oldLocator.ends[index] as number
    }
  }

  #locate(buffer: Buffer, start: number, end: number, isCopy: boolean, fullOldStart: number): void {
    if (isCopy) {
      locator.copyLine(buffer, start, end)
      locator.expect(this.columnCount)
    } else this.#locateTuple(buffer, start, fullOldStart)
  }

  /** Writes the row between `start` and `end` as a JSON object: a line of COPY or a tuple. */
  writeRow(out: JsonOutput, buffer: Buffer, start: number, end: number, isCopy: boolean, fullOldStart: number): void {
    this.#locate(buffer, start, end, isCopy, fullOldStart)
    writeColumns(out, this.#columns)
  }

  /** Writes the key as a JSON object; only for tables that have one. */
  writeKey(out: JsonOutput, buffer: Buffer, start: number, end: number, isCopy: boolean, fullOldStart: number): void {
    this.#locate(buffer, start, end, isCopy, fullOldStart)
    writeColumns(out, this.#keys)
  }

  /** The row as a Connect struct. */
  row(buffer: Buffer, start: number, end: number, isCopy: boolean, fullOldStart: number): Record<string, unknown> {
    this.#locate(buffer, start, end, isCopy, fullOldStart)
    return readColumns(this.#columns)
  }

  /** The key as a Connect struct, or null where the table has none. */
  key(
    buffer: Buffer,
    start: number,
    end: number,
    isCopy: boolean,
    fullOldStart: number,
  ): Record<string, unknown> | null {
    if (this.keySchema === null) return null
    this.#locate(buffer, start, end, isCopy, fullOldStart)
    return readColumns(this.#keys)
  }

  /** True when both tuples have the same key. */
  sameKey(buffer: Buffer, oldStart: number, newStart: number): boolean {
    oldLocator.tuple(buffer, oldStart)
    locator.tuple(buffer, newStart)
    return this.#keys.every(({ index }) => {
      const [end, oldEnd] = [locator.ends[index] as number, oldLocator.ends[index] as number]
      // A key that did not change may come as "unchanged" when it is large.
      if (end < 0 || oldEnd < 0) return end === oldEnd || end === UNCHANGED
      const [start, oldStart_] = [locator.starts[index] as number, oldLocator.starts[index] as number]
      return buffer.compare(buffer, start, end, oldStart_, oldEnd) === 0
    })
  }
}

function rowSchema(columns: readonly WrittenColumn[], options: { name: string; optional?: boolean }): Schema {
  return struct(
    columns.map((column) => [column.name, column.schema] as const),
    options,
  )
}

function keyColumnsOf(
  name: { schema: string; table: string },
  own: readonly string[],
  rules: readonly KeyRule[],
): readonly string[] {
  const rule = rules.find((candidate) => candidate.table.test(`${name.schema}.${name.table}`))
  return rule?.columns ?? own
}

function compileColumn(column: RowColumn, index: number, settings: TableSettings): WrittenColumn[] {
  const known = column.type && codecOf(column.type, column.typeModifier, settings.types)
  const isArray = column.type?.element !== undefined
  const codec = known ?? (settings.includeUnknown && !isArray ? unknownCodec(settings.types) : undefined)
  if (codec === undefined) {
    settings.onUnknownType?.(column.name, column.type?.name ?? 'unknown')
    return []
  }
  const defaultValue = schemaDefault(codec, column.defaultExpression)
  const options = { optional: !column.notNull, ...(defaultValue === undefined ? {} : { default: defaultValue }) }
  const schema = withOptions(codec.schema, options)
  const missing = column.notNull ? (defaultValue ?? codec.fallback) : null
  const unchanged = codec.placeholder?.(settings.placeholder) ?? missing
  return [
    {
      index,
      name: column.name,
      schema,
      codec,
      firstName: Buffer.from(`{${JSON.stringify(column.name)}:`, 'utf8'),
      nextName: Buffer.from(`,${JSON.stringify(column.name)}:`, 'utf8'),
      nullValue: missing,
      nullJson: jsonOf(schema, missing),
      unchangedValue: unchanged,
      unchangedJson: jsonOf(schema, unchanged),
    },
  ]
}

function jsonOf(schema: Schema, value: unknown): Buffer {
  const out = new JsonOutput(1024)
  out.begin()
  writeJsonValue(out, schema, value)
  return Buffer.from(out.take())
}

function writeColumns(out: JsonOutput, columns: readonly WrittenColumn[]): void {
  const { source, starts, ends } = locator
  if (columns.length === 0) out.byte(0x7b)
  for (let position = 0; position < columns.length; position++) {
    const column = columns[position] as WrittenColumn
    out.raw(position === 0 ? column.firstName : column.nextName)
    const start = starts[column.index] as number
    const end = ends[column.index] as number
    if (end === NULL_VALUE) out.raw(column.nullJson)
    else if (end === UNCHANGED) out.raw(column.unchangedJson)
    else writeValue(out, column, source, start, end)
  }
  out.byte(0x7d)
}

function writeValue(out: JsonOutput, column: WrittenColumn, source: Buffer, start: number, end: number): void {
  const { codec } = column
  if (codec.isNull !== undefined && codec.isNull(source, start, end)) out.raw(column.nullJson)
  else if (codec.write !== undefined) codec.write(out, source, start, end)
  else writeJsonValue(out, column.schema, codec.value(source.toString('utf8', start, end)))
}

function readColumns(columns: readonly WrittenColumn[]): Record<string, unknown> {
  const { source, starts, ends } = locator
  const row: Record<string, unknown> = {}
  for (const { index, name, codec, nullValue, unchangedValue } of columns) {
    const start = starts[index] as number
    const end = ends[index] as number
    if (end === UNCHANGED) row[name] = unchangedValue
    else if (end === NULL_VALUE || codec.isNull?.(source, start, end)) row[name] = nullValue
    else row[name] = codec.value(source.toString('utf8', start, end))
  }
  return row
}
