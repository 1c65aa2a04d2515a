import { ObjectId } from 'mongodb'
import { DataError } from '@millrace/sdk'
import { type Document, isDocument } from './documents.ts'
import { documentOfJson, parseJson } from './extended-json.ts'
import { removeNulls } from './post-processors.ts'
import { keyOf, type SinkDocument } from './sink-document.ts'
import { qlik } from './qlik-handler.ts'
import { updateOf } from './update-description.ts'
import type { Operation } from './write-models.ts'

/** The operation of a change event; null where it has none. Throws DataError. */
export type CdcHandler = (document: SinkDocument) => Operation | null

/** The handler of a name, or undefined for none. */
export function cdcHandler(name: string, removesNulls: boolean): CdcHandler | undefined {
  if (name === '') return undefined
  const handle = handlerOf(name)
  // A tombstone follows a delete, and an empty value says nothing either.
  return (document) =>
    document.hasValue && Object.keys(document.value).length > 0 ? handle(document, removesNulls) : null
}

function handlerOf(name: string): (document: SinkDocument, removesNulls: boolean) => Operation | null {
  if (name.includes('.qlik.')) return qlik
  if (name.includes('.rdbms.')) return rdbms
  return name.includes('.debezium.') ? debeziumMongo : changeStream
}

/** Events of Debezium's connectors for relational databases: the columns of the key are the `_id`. */
function rdbms({ value, record }: SinkDocument, removesNulls: boolean): Operation | null {
  const key = keyOf(record)
  const hasPrimaryKey = Object.keys(key).length > 0
  const { op, before, after } = value
  if (op === 'd') return { deleteOne: { filter: hasPrimaryKey ? { _id: key } : rowOf(before, 'before') } }
  if (op !== 'c' && op !== 'r' && op !== 'u')
    throw new DataError(`the operation ${wordOf(op)} of the event is not known`)
  const row = rowOf(after, 'after')
  const replacement: Document = { _id: hasPrimaryKey ? key : new ObjectId() }
  for (const [name, entry] of Object.entries(row)) if (!Object.hasOwn(key, name)) replacement[name] = entry
  if (removesNulls) removeNulls(replacement)
  if (hasPrimaryKey) return { replaceOne: { filter: { _id: key }, replacement, upsert: true } }
  if (op !== 'u') return { replaceOne: { filter: { _id: replacement['_id'] }, replacement, upsert: true } }
  const { _id: _new, ...columns } = replacement
  return { replaceOne: { filter: rowOf(before, 'before'), replacement: columns, upsert: true } }
}

function rowOf(value: unknown, name: string): Document {
  if (isDocument(value)) return value
  throw new DataError(`the event has no row in ${name}`)
}

function wordOf(op: unknown): string {
  return typeof op === 'string' ? `"${op}"` : String(op)
}

/** Events of Debezium's connector for MongoDB, with whole documents or with descriptions of updates. */
function debeziumMongo({ value, key, hasKey }: SinkDocument, removesNulls: boolean): Operation | null {
  if (!hasKey || typeof key['id'] !== 'string') throw new DataError('the key of the event has no field id')
  const filter = { _id: parseJson(key['id']) }
  const { op, after } = value
  if (op === 'd') return { deleteOne: { filter } }
  if (op !== 'c' && op !== 'r' && op !== 'u')
    throw new DataError(`the operation ${wordOf(op)} of the event is not known`)
  if (after !== undefined && after !== null) {
    const replacement = typeof after === 'string' ? documentOfJson(after) : rowOf(after, 'after')
    if (removesNulls) removeNulls(replacement)
    return { replaceOne: { filter, replacement, upsert: true } }
  }
  if (op !== 'u') throw new DataError('the event has no document in after')
  if (value['updateDescription']) return updating(filter, updateOf(value['updateDescription']))
  if (typeof value['patch'] !== 'string')
    throw new DataError('the event has neither after, updateDescription nor patch')
  const { $v: _version, ...patch } = documentOfJson(value['patch'])
  if (!Object.keys(patch).some((name) => name.startsWith('$'))) {
    return { replaceOne: { filter, replacement: patch, upsert: true } }
  }
  return updating(filter, patch)
}

/** An update that changes nothing is no operation. */
function updating(filter: Document, update: Document): Operation | null {
  return Object.keys(update).length === 0 ? null : { updateOne: { filter, update } }
}

/** Events of MongoDB's change streams, as the MongoDB source writes them. */
function changeStream({ value }: SinkDocument, removesNulls: boolean): Operation | null {
  const { operationType, documentKey, fullDocument } = value
  switch (operationType) {
    case 'insert':
    case 'replace':
    case 'update':
    case 'delete':
      break
    case undefined:
      throw new DataError('the value has no operationType, so it is no change event')
    default:
      // Collections that are dropped or renamed are nobody's document.
      return null
  }
  const filter = documentIn(documentKey)
  if (filter === undefined) throw new DataError(`the ${operationType} event has no documentKey`)
  if (operationType === 'delete') return { deleteOne: { filter } }
  const replacement = documentIn(fullDocument)
  if (replacement !== undefined) {
    if (removesNulls) removeNulls(replacement)
    return { replaceOne: { filter, replacement, upsert: true } }
  }
  if (operationType === 'update') return updating(filter, updateOf(value['updateDescription']))
  throw new DataError(`the ${operationType} event has no fullDocument`)
}

/** Events that have a schema carry documents as text. */
function documentIn(value: unknown): Document | undefined {
  if (typeof value === 'string') return documentOfJson(value)
  return isDocument(value) ? value : undefined
}
