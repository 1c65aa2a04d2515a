import { DataError, dateSchema, logicalNames, primitive, type Schema, struct, timestampSchema } from '@millrace/sdk'
import type { FileReader, Row } from '../reader.ts'
import { TextWindow } from '../text-window.ts'
import { type TextParser, textParser } from './text-value.ts'

interface Field {
  readonly name: string
  readonly parse: TextParser
}

interface Plan {
  /** The line that named the fields. */
  readonly line: string
  readonly fields: readonly Field[]
  readonly schema: Schema
  /** Indexes of date and time when the log has both. */
  readonly moment: readonly [date: number, time: number] | null
}

const NUMBERS: Readonly<Record<string, 'INT32' | 'INT64'>> = {
  'time-taken': 'INT64',
  'sc-status': 'INT64',
  'sc-bytes': 'INT64',
  'cs-bytes': 'INT64',
  'cs-uri-port': 'INT32',
}
const NOTHING = '-'
const FIELDS = /^#fields:\s*(.*)$/i
/** A value in quotes, where a quote is doubled, or one up to white space. */
const VALUE = /"((?:[^"]|"")*)"|\S+/g
const TIMES = { dateFormats: [], timeZone: 'UTC' }

/** Reads logs of the Extended Log File Format of the W3C, as web servers write them. The file says which fields there are. */
export class ExtendedLogReader implements FileReader {
  readonly #window = new TextWindow('UTF-8')
  /** Plans by their line: files of one kind share their schemas, and with them compiled encoders. */
  readonly #plans: Map<string, Plan>
  #plan: Plan | undefined

  constructor(plans: Map<string, Plan>) {
    this.#plans = plans
  }

  get isReady(): boolean {
    return this.#plan !== undefined
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
    while (this.#plan === undefined) {
      const line = this.#window.line()
      if (line === undefined) return
      if (line.startsWith('#')) this.#directive(line)
      else if (line.trim() !== '')
        throw new DataError('the first entry comes before a line #Fields, which says what is in it')
    }
  }

  next(): Row | undefined {
    this.prepare()
    for (;;) {
      const plan = this.#plan
      const line = plan === undefined ? undefined : this.#window.line()
      if (plan === undefined || line === undefined) return undefined
      if (line.startsWith('#')) this.#directive(line)
      else if (line.trim() !== '') return rowOf(plan, line)
    }
  }

  #directive(line: string): void {
    const names = FIELDS.exec(line)?.[1]?.trim()
    if (names === undefined) return
    // Reading goes on in the middle of a file by the fields at its start.
    if (this.#plan !== undefined && this.#plan.line !== names) {
      throw new DataError('the fields change within the file: split it where a line #Fields names others')
    }
    let plan = this.#plans.get(names)
    if (plan === undefined) {
      if (this.#plans.size >= PLANS_MAX) this.#plans.clear()
      plan = planOf(names)
      this.#plans.set(names, plan)
    }
    this.#plan = plan
  }
}

const PLANS_MAX = 100

function planOf(line: string): Plan {
  const names = line.split(/\s+/).filter((name) => name !== '')
  if (names.length === 0) throw new DataError('the line #Fields names none')
  const schemas = names.map((name) => schemaOf(name))
  const fields = names.map((name, index) => ({ name: fieldName(name), parse: textParser(schemas[index]!, TIMES) }))
  const members = fields.map(({ name }, index): [string, Schema] => [name, schemas[index]!])
  const [date, time] = [names.indexOf('date'), names.indexOf('time')]
  const moment = date >= 0 && time >= 0 ? ([date, time] as const) : null
  if (moment !== null) {
    members.push(['datetime', timestampSchema({ optional: true, parameters: { logField: 'date,time' } })])
  }
  const all = members.map(([name]) => name)
  if (new Set(all).size !== all.length) throw new DataError(`the line #Fields names a field twice: ${all.join(', ')}`)
  const schema = struct(members, { name: 'com.github.jcustenborder.kafka.connect.spooldir.LogEntry' })
  return { line, fields, schema, moment }
}

function schemaOf(name: string): Schema {
  const options = { optional: true, parameters: { logField: name } }
  if (name === 'date') return dateSchema(options)
  if (name === 'time') return primitive('INT32', { ...options, name: logicalNames.time, version: 1 })
  return primitive(NUMBERS[name] ?? 'STRING', options)
}

/** `cs(User-Agent)` becomes `cs_user_agent`. */
function fieldName(name: string): string {
  return name.replaceAll('(', '_').replaceAll(')', '').replaceAll('-', '_').toLowerCase()
}

function rowOf({ fields, schema, moment }: Plan, line: string): Row {
  const value: Record<string, unknown> = {}
  for (const { name } of fields) value[name] = null
  let index = 0
  for (const [text, quoted] of line.matchAll(VALUE)) {
    const field = fields[index++]
    if (field === undefined) throw new DataError(`the entry has more values than the ${fields.length} fields`)
    if (text === NOTHING) continue
    try {
      value[field.name] = field.parse(quoted === undefined ? text : quoted.replaceAll('""', '"'))
    } catch (error) {
      throw new DataError(`the field ${field.name} ${(error as Error).message}`, { cause: error })
    }
  }
  const instant = moment === null ? null : instantOf(value['date'], value['time'])
  if (moment !== null) value['datetime'] = instant
  return { key: null, keySchema: null, value, valueSchema: schema }
}

/** Dates and times of these logs are in UTC. */
function instantOf(date: unknown, time: unknown): Date | null {
  return date instanceof Date && typeof time === 'number' ? new Date(date.getTime() + time) : null
}
