import {
  arrayOf,
  ConnectError,
  DataError,
  type Schema,
  type SinkRecord,
  schemas,
  struct,
  type TopicPartition,
  valueToString,
} from '@millrace/sdk'
import type { WriteFormat } from '../formats/index.ts'
import type { Compression } from './compression.ts'
import type { Memory } from './memory.ts'
import { ObjectBuffer } from './object-buffer.ts'

/** What of a record is stored and how. */
export interface FileLayout {
  readonly format: WriteFormat
  readonly keys: WriteFormat | null
  readonly headers: WriteFormat | null
  readonly compression: Compression | null
  readonly memory: Memory
}

/** One object of a file: its ending, and its bytes. */
export interface FileObject {
  readonly suffix: string
  readonly buffer: ObjectBuffer
}

const HEADERS = arrayOf(struct({ key: schemas.string, value: schemas.optional.string }))

/** The records of one folder since the last rotation: an object of values, and of keys and headers where those are stored. */
export class OpenFile {
  readonly topic: string
  /** Where its records are in the log, whatever transformations made of the topic. */
  readonly origin: TopicPartition
  readonly folder: string
  readonly startOffset: number
  readonly schema: Schema | null
  readonly #layout: FileLayout
  readonly #objects = new Map<string, FileObject>()
  lastOffset: number
  count = 0
  /** The newest schema that was found to fit, so that it is not compared again. */
  knownSchema: Schema | null

  constructor(record: SinkRecord, folder: string, schema: Schema | null, layout: FileLayout) {
    this.topic = record.topic
    this.origin = { topic: record.originalTopic, partition: record.originalPartition }
    this.folder = folder
    this.startOffset = record.originalOffset
    this.lastOffset = record.originalOffset
    this.schema = schema
    this.knownSchema = schema
    this.#layout = layout
  }

  get objects(): readonly FileObject[] {
    return [...this.#objects.values()]
  }

  get heldBytes(): number {
    let held = 0
    for (const { buffer } of this.#objects.values()) held += buffer.heldBytes
    return held
  }

  /** Adds a record; a null value has none of its own. Throws DataError before anything was added. */
  add(record: SinkRecord, schema: Schema | null, value: unknown): void {
    this.#checkKey(record)
    const hasValue = value !== null && value !== undefined
    if (hasValue) this.#object('', this.#layout.format, schema).add(schema, value)
    this.#added(record, hasValue)
  }

  /** Adds a record whose value is JSON text, which goes into the file as it is. Throws DataError before anything was added. */
  addJson(record: SinkRecord, json: Uint8Array): void {
    this.#checkKey(record)
    this.#object('', this.#layout.format, null).addJson(json)
    this.#added(record, true)
  }

  #checkKey({ key }: SinkRecord): void {
    if (this.#layout.keys !== null && (key === null || key === undefined)) {
      throw new DataError('store.kafka.keys is set and the record has no key')
    }
  }

  #added(record: SinkRecord, hasValue: boolean): void {
    const { keys, headers } = this.#layout
    if (keys !== null || headers !== null) this.#addBeside(record, hasValue)
    this.lastOffset = record.originalOffset
    this.count++
  }

  /** Keys and headers. Once one part is in its object a fault in another can only end the task. */
  #addBeside(record: SinkRecord, hasValue: boolean): void {
    const { keys, headers } = this.#layout
    let started = hasValue
    try {
      if (keys !== null) {
        this.#object('.keys', keys, record.keySchema).add(record.keySchema, record.key)
        started = true
      }
      if (headers === null) return
      const list = record.headers.map((each) => ({ key: each.key, value: textOf(each.schema, each.value) }))
      this.#object('.headers', headers, HEADERS).add(HEADERS, list)
    } catch (error) {
      if (!started) throw error
      const { message } = error as Error
      throw new ConnectError(`the key or headers of a record cannot be stored beside its value: ${message}`, {
        cause: error,
      })
    }
  }

  /** Moves what is in memory to the disk. */
  async spill(): Promise<void> {
    for (const { buffer } of this.#objects.values()) if (buffer.heldBytes > 0) await buffer.spill()
  }

  async dispose(): Promise<void> {
    for (const { buffer } of this.#objects.values()) await buffer.dispose()
  }

  #object(part: string, format: WriteFormat, schema: Schema | null): ObjectBuffer {
    const known = this.#objects.get(part)
    if (known !== undefined) return known.buffer
    const { memory } = this.#layout
    const compression = format.compressible ? this.#layout.compression : null
    const buffer = new ObjectBuffer(format.create(schema), compression, memory)
    this.#objects.set(part, { suffix: `${part}${format.extension}${compression?.extension ?? ''}`, buffer })
    return buffer
  }
}

function textOf(schema: Schema | null, value: unknown): string | null {
  return value === null || value === undefined ? null : valueToString(schema, value)
}
