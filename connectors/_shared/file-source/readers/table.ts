import { DataError, type Schema } from '@millrace/sdk'
import type { FileReader, Row } from '../reader.ts'
import { TextWindow } from '../text-window.ts'
import type { CellParser, Cells } from './cells.ts'
import { JsonBuffer, jsonString, SPECIAL_BYTES } from './json-text.ts'
import { textParser, type TextParser, type TextParserOptions } from './text-value.ts'
import { inferredSchemas, type SchemaSettings } from './schema-settings.ts'

/** How files of rows and columns are read. */
export interface TableOptions {
  /** Cuts the text of a file into the cells of its rows. */
  readonly cells: (window: TextWindow) => CellParser
  /** Whether a blank line is a row where there is one column. */
  readonly blankIsRow: boolean
  /** Whether a cell may have ends of lines in a row that has no double quote. */
  readonly cellsMayHaveLineEnds: boolean
  readonly charset: string
  readonly skipLines: number
  readonly hasHeader: boolean
  /** The columns of files without a header; null when the schema names them. */
  readonly names: readonly string[] | null
  readonly caseSensitive: boolean
  readonly schemas: SchemaSettings
  readonly parser: TextParserOptions
  /** The field of the value that is the time of the record; null for none. */
  readonly timestampField: string | null
}

/** Where a field comes from, and how its text is read. */
interface Column {
  readonly name: string
  /** Index of the cell; -1 when the file has no such column. */
  readonly cell: number
  readonly schema: Schema
  readonly parse: TextParser
}

interface Plan {
  readonly width: number
  readonly value: Side
  readonly key: Side | null
}

/** The columns of keys or values. */
interface Side {
  readonly schema: Schema
  readonly columns: readonly Column[]
  /** `{"name":` of the first field, `,"name":` of the others. */
  readonly prefixes: readonly string[]
  /** All fields are text, so that nothing can be wrong with a cell and JSON is written straight from it. */
  readonly isText: boolean
}

/** Plans of headers that were seen before: files of one kind share their schemas, and with them compiled encoders. */
export class TablePlans {
  readonly #options: TableOptions
  readonly #plans = new Map<string, Plan>()

  constructor(options: TableOptions) {
    this.#options = options
  }

  /** Null takes the names from the schema, by position. */
  of(header: readonly string[] | null): Plan {
    const id = JSON.stringify(header)
    let plan = this.#plans.get(id)
    if (plan === undefined) {
      if (this.#plans.size >= PLANS_MAX) this.#plans.clear()
      plan = this.#make(header)
      this.#plans.set(id, plan)
    }
    return plan
  }

  #make(header: readonly string[] | null): Plan {
    const { schemas } = this.#options
    const names = header ?? schemas.value?.fields.map(({ name }) => name) ?? []
    if (new Set(names).size !== names.length) {
      throw new DataError(`the header names a column twice: ${names.join(', ')}`)
    }
    const { key, value } =
      schemas.value === null ? inferredSchemas(schemas, names) : { ...schemas, value: schemas.value }
    return {
      width: names.length,
      value: this.#side(value, names),
      key: key === null || key.fields.length === 0 ? null : this.#side(key, names),
    }
  }

  #side(schema: Schema, names: readonly string[]): Side {
    const fold = (name: string): string => (this.#options.caseSensitive ? name : name.toLowerCase())
    const cells = new Map(names.map((name, index) => [fold(name), index]))
    const columns = schema.fields.map((field) => ({
      name: field.name,
      cell: cells.get(fold(field.name)) ?? -1,
      schema: field.schema,
      parse: textParser(field.schema, this.#options.parser),
    }))
    const missing = columns.find((column) => column.cell < 0 && !isOptional(column.schema))
    if (missing !== undefined) {
      throw new DataError(
        `the file has no column ${missing.name}, which the schema requires; it has ${names.join(', ')}`,
      )
    }
    return {
      schema,
      columns,
      prefixes: columns.map(({ name }, index) => `${index === 0 ? '{' : ','}${jsonString(name)}:`),
      isText: columns.every((column) => column.schema.type === 'STRING' && column.schema.default === undefined),
    }
  }
}

const PLANS_MAX = 100
const isOptional = (schema: Schema): boolean => schema.optional || schema.default !== undefined

/** Reads rows of cells into structs, by a schema or by the header of the file. */
export class TableReader implements FileReader {
  readonly #options: TableOptions
  readonly #plans: TablePlans
  readonly #window: TextWindow
  readonly #parser: CellParser
  readonly #json = { key: new JsonBuffer(), value: new JsonBuffer() }
  #skip: number
  #plan: Plan | undefined
  #headerIsDue: boolean
  /** The text of the window that was looked at for what JSON escapes, and where in it the next of that is. */
  #checked = ''
  #nextSpecial = -1

  constructor(options: TableOptions, plans: TablePlans) {
    this.#options = options
    this.#plans = plans
    this.#window = new TextWindow(options.charset)
    this.#parser = options.cells(this.#window)
    this.#skip = options.skipLines
    this.#headerIsDue = options.hasHeader || (options.schemas.value === null && options.names === null)
    if (!this.#headerIsDue) this.#plan = plans.of(options.names)
  }

  get isReady(): boolean {
    return this.#plan !== undefined && this.#skip === 0
  }

  get position(): number {
    return this.#window.positionOf(this.#window.at)
  }

  push(chunk: Uint8Array, isLast: boolean): void {
    this.#window.push(chunk, isLast)
  }

  seek(position: number): void {
    this.#window.seek(position)
  }

  prepare(): void {
    while (this.#skip > 0) {
      if (!this.#parser.skipLine()) return
      this.#skip--
    }
    while (this.#headerIsDue) {
      const before = this.#window.at
      const cells = this.#parser.next()
      if (cells === undefined) return
      if (cells.length === 0) continue
      this.#headerIsDue = false
      const names = this.#options.hasHeader
        ? cells.map((cell, index) => columnName(cell, index))
        : cells.map((_, index) => `column${String(index + 1).padStart(2, '0')}`)
      this.#plan = this.#plans.of(names)
      // Without a header the first row only tells how many columns there are, and is data.
      if (!this.#options.hasHeader) this.#window.at = before
    }
  }

  next(): Row | undefined {
    if (!this.isReady) this.prepare()
    const plan = this.#plan
    if (plan === undefined || this.#skip > 0) return undefined
    for (;;) {
      const start = this.#window.at
      const cells = this.#parser.next()
      if (cells === undefined) return undefined
      // A blank line is no row; the original takes it for the end of the file.
      if (cells.length > 0) return this.#row(plan, cells, start)
      if (plan.width === 1 && this.#options.blankIsRow) return this.#row(plan, [''], start)
    }
  }

  #row(plan: Plan, cells: Cells, start: number): Row {
    if (cells.length < plan.width) {
      throw new DataError(`the row has ${cells.length} cells, fewer than the ${plan.width} columns`)
    }
    const { timestampField } = this.#options
    if (plan.value.isText && (plan.key === null || plan.key.isText)) {
      checkRequired(plan, cells)
      return new TextRow(plan, cells, this.#isPlain(start), this.#json)
    }
    const value = structOf(plan.value, cells)
    const time = timestampField === null ? null : value[timestampField]
    return {
      key: plan.key === null ? null : structOf(plan.key, cells),
      keySchema: plan.key === null ? null : plan.key.schema,
      value,
      valueSchema: plan.value.schema,
      timestamp: time instanceof Date ? time.getTime() : null,
    }
  }

  /** Whether cells of the row from this index on need no escapes: they have no characters but those of the row. */
  #isPlain(start: number): boolean {
    if (this.#options.cellsMayHaveLineEnds) return false
    const { text, at } = this.#window
    if (this.#checked !== text) {
      this.#checked = text
      this.#nextSpecial = -1
    }
    if (this.#nextSpecial < start) {
      SPECIAL_BYTES.lastIndex = start
      this.#nextSpecial = SPECIAL_BYTES.test(text) ? SPECIAL_BYTES.lastIndex - 1 : Number.POSITIVE_INFINITY
    }
    return this.#nextSpecial >= at
  }
}

function columnName(cell: string | null, index: number): string {
  const name = cell?.trim() ?? ''
  if (name === '') throw new DataError(`column ${index + 1} of the header has no name`)
  return name
}

function checkRequired(plan: Plan, cells: Cells): void {
  for (const side of [plan.value, plan.key]) {
    if (side === null) continue
    for (const column of side.columns) {
      if (cells[column.cell] === null && !column.schema.optional) requiredIsEmpty(column)
    }
  }
}

function requiredIsEmpty(column: Column): never {
  throw new DataError(`the column ${column.name} is empty, and the schema requires it`)
}

function structOf({ columns }: Side, cells: Cells): Record<string, unknown> {
  const struct: Record<string, unknown> = {}
  for (const column of columns) {
    const cell = cells[column.cell] ?? null
    let value: unknown = null
    try {
      value = cell === null ? null : column.parse(cell)
    } catch (error) {
      throw new DataError(`the column ${column.name} ${(error as Error).message}`, { cause: error })
    }
    if (value === null && column.schema.default !== undefined) value = column.schema.default
    if (value === null && !column.schema.optional) requiredIsEmpty(column)
    struct[column.name] = value
  }
  return struct
}

/** A row whose fields are all text: its structs are made only when somebody looks at them. */
class TextRow implements Row {
  readonly #plan: Plan
  readonly #cells: Cells
  readonly #isPlain: boolean
  readonly #json: Readonly<Record<'key' | 'value', JsonBuffer>>

  constructor(plan: Plan, cells: Cells, isPlain: boolean, json: Readonly<Record<'key' | 'value', JsonBuffer>>) {
    this.#plan = plan
    this.#cells = cells
    this.#isPlain = isPlain
    this.#json = json
  }

  get key(): unknown {
    return this.#plan.key === null ? null : textStruct(this.#plan.key, this.#cells)
  }

  get keySchema(): Schema | null {
    return this.#plan.key === null ? null : this.#plan.key.schema
  }

  get value(): unknown {
    return textStruct(this.#plan.value, this.#cells)
  }

  get valueSchema(): Schema {
    return this.#plan.value.schema
  }

  jsonText(part: 'key' | 'value'): Uint8Array | null {
    const side = this.#plan[part]
    if (side === null) return null
    const { columns, prefixes } = side
    const cells = this.#cells
    const isPlain = this.#isPlain
    let text = columns.length === 0 ? '{' : ''
    for (let index = 0; index < columns.length; index++) {
      const cell = cells[(columns[index] as Column).cell] ?? null
      text += prefixes[index] as string
      text += cell === null ? 'null' : isPlain ? `"${cell}"` : jsonString(cell)
    }
    return this.#json[part].write(`${text}}`)
  }
}

function textStruct({ columns }: Side, cells: Cells): Record<string, unknown> {
  const struct: Record<string, unknown> = {}
  for (const { name, cell } of columns) struct[name] = cells[cell] ?? null
  return struct
}
