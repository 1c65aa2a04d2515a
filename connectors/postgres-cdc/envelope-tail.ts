import { type JsonOutput, writeDigits } from '../_shared/json-output/index.ts'
import type { Lsn } from './lsn.ts'

/** What all changes of one transaction, or of one snapshot, have in common. */
export interface ChangeContext {
  readonly xid: number | null
  /** The commit time, or the start of the snapshot, in microseconds since the epoch. */
  readonly micros: number
  /** The end of the transaction before; null where none was seen yet. */
  readonly lastCommitLsn: Lsn | null
  /** The replication origin of the transaction. */
  readonly origin: string | null
  readonly originLsn: Lsn | null
}

/** Who writes the source block. */
export interface SourceNames {
  readonly version: string
  readonly prefix: string
  readonly database: string
}

export type Operation = 'c' | 'u' | 'd' | 'r' | 't' | 'm'

/** Where the digits of a number stand in a template. */
interface Slot {
  end: number
  readonly digits: number
}

const digitsOf = (value: number): number => {
  let digits = 1
  for (let limit = 10; value >= limit; limit *= 10) digits++
  return digits
}

/**
 * The end of an envelope, from `,"source":` to the closing brace. It is kept as a template: between two changes of a
 * table only digits differ, so they are put over the old ones as long as their count stays.
 */
export class EnvelopeTail {
  readonly #names: SourceNames
  readonly #schema: string
  readonly #table: string
  #template: Buffer = Buffer.alloc(0)
  #context: ChangeContext | undefined
  #operation: Operation | undefined
  #marker = ''
  #processedMicros = 0
  #lsn: Lsn = -1
  #lsnDigits = 0
  #lsnSlots: Slot[] = []
  #processedSlots: Slot[] = []
  #contextSlots: { slot: Slot; value: (context: ChangeContext) => number }[] = []

  constructor(names: SourceNames, schema: string, table: string) {
    this.#names = names
    this.#schema = schema
    this.#table = table
  }

  write(
    out: JsonOutput,
    operation: Operation,
    marker: string,
    context: ChangeContext,
    lsn: Lsn,
    processedMicros: number,
  ): void {
    const isSame = operation === this.#operation && marker === this.#marker
    if (!isSame || (lsn !== this.#lsn && digitsOf(lsn) !== this.#lsnDigits)) {
      this.#build(operation, marker, context, lsn, processedMicros)
    } else if (context !== this.#context && !this.#putContext(context)) {
      this.#build(operation, marker, context, lsn, processedMicros)
    }
    if (processedMicros !== this.#processedMicros) this.#putProcessed(processedMicros)
    const template = this.#template
    if (lsn !== this.#lsn) {
      this.#lsn = lsn
      for (const slot of this.#lsnSlots) writeDigits(template, slot.end, lsn)
    }
    out.ensure(template.length)
    out.buffer.set(template, out.position)
    out.position += template.length
  }

  #putProcessed(micros: number): void {
    this.#processedMicros = micros
    const [millis, whole, nanos] = this.#processedSlots as [Slot, Slot, Slot]
    writeDigits(this.#template, millis.end, Math.floor(micros / 1000))
    writeDigits(this.#template, whole.end, micros)
    writeDigits(this.#template, nanos.end, micros)
  }

  /** False when the digits do not fit the template. */
  #putContext(context: ChangeContext): boolean {
    const old = this.#context as ChangeContext
    const sameShape =
      context.origin === null &&
      old.origin === null &&
      (context.xid === null) === (old.xid === null) &&
      (context.lastCommitLsn === null) === (old.lastCommitLsn === null)
    if (!sameShape || this.#contextSlots.some(({ slot, value }) => digitsOf(value(context)) !== slot.digits))
      return false
    for (const { slot, value } of this.#contextSlots) writeDigits(this.#template, slot.end, value(context))
    this.#context = context
    return true
  }

  #build(operation: Operation, marker: string, context: ChangeContext, lsn: Lsn, processedMicros: number): void {
    const parts: string[] = []
    let length = 0
    const add = (text: string): void => {
      parts.push(text)
      length += Buffer.byteLength(text, 'utf8')
    }
    const number = (value: number): Slot => {
      add(String(value))
      return { end: length, digits: String(value).length }
    }
    this.#lsnSlots = []
    this.#contextSlots = []
    const ofContext = (value: (context: ChangeContext) => number): void => {
      this.#contextSlots.push({ slot: number(value(context)), value })
    }
    const lsnHere = (): void => {
      this.#lsnSlots.push(number(lsn))
    }
    const { version, prefix, database } = this.#names
    add(
      `,"source":{"version":${JSON.stringify(version)},"connector":"postgresql","name":${JSON.stringify(prefix)},"ts_ms":`,
    )
    ofContext((of) => Math.floor(of.micros / 1000))
    add(`,"snapshot":"${marker}","db":${JSON.stringify(database)},"sequence":"[`)
    if (context.lastCommitLsn === null) add('null')
    else {
      add('\\"')
      ofContext((of) => of.lastCommitLsn ?? 0)
      add('\\"')
    }
    add(',\\"')
    lsnHere()
    add('\\"]","ts_us":')
    ofContext((of) => of.micros)
    add(',"ts_ns":')
    ofContext((of) => of.micros)
    add(`000,"schema":${JSON.stringify(this.#schema)},"table":${JSON.stringify(this.#table)},"txId":`)
    if (context.xid === null) add('null')
    else ofContext((of) => of.xid ?? 0)
    add(',"lsn":')
    lsnHere()
    add(`,"xmin":null,"origin":${JSON.stringify(context.origin)},"origin_lsn":${context.originLsn}}`)
    add(`,"transaction":null,"op":"${operation}","ts_ms":`)
    const millis = number(Math.floor(processedMicros / 1000))
    add(',"ts_us":')
    const whole = number(processedMicros)
    add(',"ts_ns":')
    const nanos = number(processedMicros)
    add('000}')
    this.#template = Buffer.from(parts.join(''), 'utf8')
    this.#processedSlots = [millis, whole, nanos]
    this.#processedMicros = processedMicros
    this.#lsn = lsn
    this.#lsnDigits = digitsOf(lsn)
    this.#operation = operation
    this.#marker = marker
    this.#context = context
  }
}

/** The source block as a Connect struct. */
export function sourceStruct(
  names: SourceNames,
  place: { schema: string; table: string },
  context: ChangeContext,
  lsn: Lsn,
  marker: string,
): Record<string, unknown> {
  const last = context.lastCommitLsn === null ? 'null' : `"${context.lastCommitLsn}"`
  return {
    version: names.version,
    connector: 'postgresql',
    name: names.prefix,
    ts_ms: BigInt(Math.floor(context.micros / 1000)),
    snapshot: marker,
    db: names.database,
    sequence: `[${last},"${lsn}"]`,
    ts_us: BigInt(context.micros),
    ts_ns: BigInt(context.micros) * 1000n,
    schema: place.schema,
    table: place.table,
    txId: context.xid === null ? null : BigInt(context.xid),
    lsn: BigInt(lsn),
    xmin: null,
    origin: context.origin,
    origin_lsn: context.originLsn === null ? null : BigInt(context.originLsn),
  }
}
