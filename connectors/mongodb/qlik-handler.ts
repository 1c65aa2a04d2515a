import { ObjectId } from 'mongodb'
import { DataError } from '@millrace/sdk'
import { type Document, isDocument } from './documents.ts'
import { bsonEquals } from './bson-equals.ts'
import { removeNulls } from './post-processors.ts'
import { keyOf, type SinkDocument } from './sink-document.ts'
import type { Operation } from './write-models.ts'

/** Events of Qlik Replicate: the columns of the key are the `_id`, `data` is the row, `beforeData` the row before. */
export function qlik({ value, record }: SinkDocument, removesNulls: boolean): Operation | null {
  if (Object.keys(value).length === 0) return null
  const message = within(value, 'message')
  const id = keyOf(record)
  const byKey = Object.keys(id).length > 0 ? { _id: id } : undefined
  switch (operationOf(message)) {
    case 'insert':
    case 'refresh':
    case 'read': {
      const filter = byKey ?? { _id: new ObjectId() }
      const replacement = { ...filter, ...within(message, 'data') }
      if (removesNulls) removeNulls(replacement)
      return { replaceOne: { filter, replacement, upsert: true } }
    }
    case 'update': {
      const filter = byKey ?? someOf(within(message, 'beforeData'))
      const before = within(message, 'beforeData')
      const changed = Object.entries(someOf(within(message, 'data'))).filter(
        ([name, entry]) => !bsonEquals(entry, before[name]),
      )
      if (changed.length === 0) return null
      return { updateOne: { filter, update: { $set: Object.fromEntries(changed) }, upsert: true } }
    }
    case 'delete':
      return { deleteOne: { filter: byKey ?? someOf(rowBefore(message)) } }
    default:
      throw new DataError('the operation of the event is not known; it is one of insert, refresh, read, update, delete')
  }
}

/** The operation is in the headers of the message, or beside its data, by settings of Qlik. */
function operationOf(message: Document): string {
  const headers = within(message, 'headers')
  const operation = headers['operation' in headers ? 'operation' : 'headers_operation']
  if (typeof operation === 'string') return operation.toLowerCase()
  throw new DataError('the event says no operation')
}

/**
 * The document in a field, or the document itself where there is no such field: how much is nested is a setting of
 * Qlik.
 */
function within(document: Document, name: string): Document {
  if (!(name in document)) return document
  const inner = document[name]
  if (isDocument(inner)) return inner
  if (inner === null && name === 'beforeData') return {}
  throw new DataError(`the field ${name} of the event is no document`)
}

function rowBefore(message: Document): Document {
  const data = message['data'] === null ? message : within(message, 'data')
  return data['beforeData'] === null ? data : within(data, 'beforeData')
}

function someOf(filter: Document): Document {
  if (Object.keys(filter).length > 0) return filter
  throw new DataError('the event has neither a key nor the row that it needs')
}
