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
  // A record without value is a tombstone behind a delete.
  return (document) => (document.hasValue ? handle(document, removesNulls) : null)
}

type Handler = (document: SinkDocument, removesNulls: boolean) => Operation | null

function handlerOf(name: string): Handler {
  if (name.includes('.qlik.')) return qlik
  if (name.includes('.rdbms.')) return rdbms
  if (!name.includes('.debezium.')) return changeStream
  return name.endsWith('.ChangeStreamHandler') ? debeziumMongo(wholeOrChanges) : debeziumMongo(patchOrWhole)
}

/** Events of Debezium's connectors for relational databases: the columns of the key are the `_id`. */
function rdbms({ value, record }: SinkDocument, removesNulls: boolean): Operation | null {
  const op = operationOf(value)
  if (op === undefined) return null
  const key = keyOf(record)
  const hasPrimaryKey = Object.keys(key).length > 0
  const { before, after } = value
  if (op === 'd') return { deleteOne: { filter: hasPrimaryKey ? { _id: key } : rowOf(before, 'before') } }
  const filter = op === 'u' && !hasPrimaryKey ? rowOf(before, 'before') : { _id: hasPrimaryKey ? key : new ObjectId() }
  const replacement: Document = '_id' in filter ? { _id: filter['_id'] } : {}
  for (const [name, entry] of Object.entries(rowOf(after, 'after'))) {
    if (!Object.hasOwn(key, name)) replacement[name] = entry
  }
  if (removesNulls) removeNulls(replacement)
  return { replaceOne: { filter, replacement, upsert: true } }
}

/** The operation of an event; undefined for what has none: an empty value, and a change of a schema. */
function operationOf(value: Document): 'c' | 'r' | 'u' | 'd' | undefined {
  const { op } = value
  if (op === 'c' || op === 'r' || op === 'u' || op === 'd') return op
  if (op === undefined && ('ddl' in value || Object.keys(value).length === 0)) return undefined
  const word = typeof op === 'string' ? `"${op}"` : String(op)
  throw new DataError(`the operation ${word} of the event is not known`)
}

function rowOf(value: unknown, name: string): Document {
  if (isDocument(value) && Object.keys(value).length > 0) return value
  throw new DataError(`the event has no row in ${name}`)
}

/** What is done for an update, by the key and the value of its event. */
type Updating = (key: Document, value: Document, removesNulls: boolean) => Operation | null

/** Events of Debezium's connector for MongoDB, with whole documents or with descriptions of updates. */
function debeziumMongo(update: Updating): Handler {
  return ({ value, key, hasKey }, removesNulls) => {
    if (!hasKey || Object.keys(key).length === 0) throw new DataError('the event has no key')
    const op = operationOf(value)
    if (op === undefined && key['id'] === undefined) throw new DataError('neither key nor value is of an event')
    if (op === undefined) return null
    if (op === 'c' || op === 'r') {
      const replacement = documentAfter(value, removesNulls)
      if (replacement['_id'] === undefined) throw new DataError('the document in after has no _id')
      return { replaceOne: { filter: { _id: replacement['_id'] }, replacement, upsert: true } }
    }
    return op === 'd' ? { deleteOne: { filter: byKey(key) } } : update(key, value, removesNulls)
  }
}

function byKey({ id }: Document): Document {
  if (typeof id !== 'string') throw new DataError('the key of the event has no text in its field id')
  return { _id: parseJson(id) }
}

/** As change streams tell of updates. */
function wholeOrChanges(key: Document, value: Document, removesNulls: boolean): Operation | null {
  const filter = byKey(key)
  if (isMissing(value['after']) && value['updateDescription'])
    return updating(filter, updateOf(value['updateDescription']))
  return { replaceOne: { filter, replacement: documentAfter(value, removesNulls), upsert: true } }
}

/** As the oplog told of updates, which later versions of Debezium do not read any more. */
function patchOrWhole(key: Document, value: Document, removesNulls: boolean): Operation | null {
  if (isMissing(value['patch'])) return wholeOrChanges(key, value, removesNulls)
  if (typeof value['patch'] !== 'string') throw new DataError('the patch of the event is no text')
  const { $v: _version, ...patch } = documentOfJson(value['patch'])
  if (patch['_id'] !== undefined) {
    return { replaceOne: { filter: { _id: patch['_id'] }, replacement: patch, upsert: true } }
  }
  if (Object.keys(patch).every((name) => name.startsWith('$'))) return updating(byKey(key), patch)
  throw new DataError('the patch of the event is neither a document with an _id nor made of operators')
}

const isMissing = (value: unknown): boolean => value === undefined || value === null

function documentAfter({ after }: Document, removesNulls: boolean): Document {
  if (typeof after !== 'string' && !isDocument(after)) throw new DataError('the event has no document in after')
  const document = typeof after === 'string' ? documentOfJson(after) : after
  if (removesNulls) removeNulls(document)
  return document
}

/** An update that changes nothing is no operation. */
function updating(filter: Document, update: Document): Operation | null {
  return Object.keys(update).length === 0 ? null : { updateOne: { filter, update } }
}

/** Events of MongoDB's change streams, as the MongoDB source writes them. */
function changeStream({ value }: SinkDocument, removesNulls: boolean): Operation | null {
  const { operationType, documentKey, fullDocument } = value
  if (typeof operationType !== 'string') {
    throw new DataError('the value has no operationType, so it is no change event')
  }
  const operation = operationType.toLowerCase()
  switch (operation) {
    case 'insert':
    case 'replace':
    case 'update':
    case 'delete':
      break
    default:
      // Collections that are dropped or renamed are nobody's document.
      return null
  }
  const filter = documentIn(documentKey)
  if (filter === undefined) throw new DataError(`the ${operationType} event has no documentKey`)
  if (operation === 'delete') return { deleteOne: { filter } }
  const replacement = documentIn(fullDocument)
  if (replacement !== undefined) {
    if (removesNulls) removeNulls(replacement)
    return { replaceOne: { filter, replacement, upsert: true } }
  }
  if (operation === 'update') return updating(filter, updateOf(value['updateDescription']))
  throw new DataError(`the ${operationType} event has no fullDocument`)
}

/** Events that have a schema carry documents as text. */
function documentIn(value: unknown): Document | undefined {
  if (typeof value === 'string') return documentOfJson(value)
  return isDocument(value) ? value : undefined
}
