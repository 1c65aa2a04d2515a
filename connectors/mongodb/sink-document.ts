import type { SinkRecord } from '@millrace/sdk'
import { type Document, documentOf } from './documents.ts'

/** Key and value of a record as documents, each made when it is asked for; processors may change them. */
export class SinkDocument {
  readonly record: SinkRecord
  /** The `_id` of the value was made by the id strategy. */
  isIdMade = false
  #key: Document | undefined
  #value: Document | undefined

  constructor(record: SinkRecord) {
    this.record = record
  }

  get hasKey(): boolean {
    return this.record.key !== null && this.record.key !== undefined
  }

  get hasValue(): boolean {
    return this.record.value !== null && this.record.value !== undefined
  }

  /** Throws DataError when the key is no document. */
  get key(): Document {
    return (this.#key ??= documentOf(this.record.keySchema, this.record.key))
  }

  /** Throws DataError when the value is no document. */
  get value(): Document {
    return (this.#value ??= documentOf(this.record.valueSchema, this.record.value))
  }
}

/** The key as a document of its own, since the one of a SinkDocument may be changed; empty where there is no key. */
export function keyOf({ keySchema, key }: SinkRecord): Document {
  return key === null || key === undefined ? {} : documentOf(keySchema, key)
}

/** Deep copy of the documents and arrays; other values are shared, since nobody changes them. */
export function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOf) as T
  if (typeof value !== 'object' || value === null) return value
  if ('_bsontype' in value || value instanceof Date || value instanceof Uint8Array) return value
  const copy: Document = {}
  for (const [name, entry] of Object.entries(value)) copy[name] = copyOf(entry)
  return copy as T
}
