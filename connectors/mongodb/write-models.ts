import { DataError } from '@millrace/sdk'
import { simpleName } from './class-names.ts'
import { type Document, isDocument } from './documents.ts'
import { type IdStrategy, idStrategy } from './id-strategies.ts'
import type { MongoSinkConfig } from './sink-config.ts'
import { copyOf, type SinkDocument } from './sink-document.ts'

/** One write of a bulk, in the form of the driver. */
export type Operation =
  | { readonly insertOne: { readonly document: Document } }
  | { readonly replaceOne: { readonly filter: Document; readonly replacement: Document; readonly upsert: true } }
  | { readonly updateOne: { readonly filter: Document; readonly update: Document; readonly upsert?: true } }
  | { readonly deleteOne: { readonly filter: Document } }

export type WriteModel = (document: SinkDocument) => Operation

/**
 * The operation of a record, by the name of a strategy. Operations that may be repeated are upserts and deletes. A strategy
 * that deletes by ids gets them from `id`; left out, the key is the id, or has it.
 */
export function writeModel(name: string, config: MongoSinkConfig, nowMs: () => number, id?: IdStrategy): WriteModel {
  const isFlat = simpleName(config['document.id.strategy']).startsWith('Partial')
  switch (name) {
    case 'DefaultWriteModelStrategy':
      return config['timeseries.timefield'] === '' ? replaceOne : ({ value }) => ({ insertOne: { document: value } })
    case 'ReplaceOneDefaultStrategy':
      return replaceOne
    case 'ReplaceOneBusinessKeyStrategy':
      return ({ value }) => {
        const filter = businessKey(value, isFlat)
        return { replaceOne: { filter, replacement: without(value, '_id'), upsert: true } }
      }
    case 'UpdateOneDefaultStrategy':
      return ({ value }) => updateOne({ _id: idOf(value) }, without(value, '_id'))
    case 'UpdateOneTimestampsStrategy':
      return ({ value }) => stamped({ _id: idOf(value) }, without(value, '_id'), new Date(nowMs()))
    case 'UpdateOneBusinessKeyTimestampStrategy':
      return ({ value }) => stamped(businessKey(value, isFlat), without(value, '_id'), new Date(nowMs()))
    case 'InsertOneDefaultStrategy':
      return ({ value }) => ({ insertOne: { document: value } })
    case 'DeleteOneDefaultStrategy':
      return (document) => ({ deleteOne: { filter: id ? { _id: id(keyed(document)) } : byKey(keyed(document)) } })
    case 'DeleteOneBusinessKeyStrategy':
      return ({ value }) => ({ deleteOne: { filter: businessKey(value, isFlat) } })
    case 'DeleteOneTombstoneBusinessKeyStrategy':
      return tombstone(config)
    default:
      throw new DataError(`the write model strategy ${name} is not known`)
  }
}

function replaceOne({ value }: SinkDocument): Operation {
  return { replaceOne: { filter: { _id: idOf(value) }, replacement: value, upsert: true } }
}

function updateOne(filter: Document, fields: Document): Operation {
  // Servers before 5.0 refuse an empty $set; the document has to be there all the same.
  const update = Object.keys(fields).length > 0 ? { $set: fields } : { $setOnInsert: filter }
  return { updateOne: { filter, update, upsert: true } }
}

function stamped(filter: Document, fields: Document, now: Date): Operation {
  const update = { $set: { ...fields, _modifiedTS: now }, $setOnInsert: { _insertedTS: now } }
  return { updateOne: { filter, update, upsert: true } }
}

function keyed(document: SinkDocument): SinkDocument {
  if (document.hasKey) return document
  throw new DataError('the record has no key, so nobody can say which document is to be deleted')
}

/** Deletes by the part of the key that PartialKeyStrategy takes. */
function tombstone(config: MongoSinkConfig): WriteModel {
  const part = idStrategy(config)
  return (document) => ({ deleteOne: { filter: flattened(part(keyed(document)) as Document) } })
}

function byKey({ key }: SinkDocument): Document {
  return '_id' in key ? copyOf(key) : { _id: copyOf(key) }
}

function idOf(value: Document): unknown {
  const id = value['_id']
  if (id === undefined) {
    throw new DataError('the value has no field _id by now; a later entry of post.processor.chain has removed it')
  }
  return id
}

function businessKey(value: Document, isFlat: boolean): Document {
  const id = idOf(value)
  if (!isDocument(id)) {
    throw new DataError(
      'the _id is no document with the fields of the business key; use PartialValueStrategy or PartialKeyStrategy',
    )
  }
  return isFlat ? flattened(id) : id
}

/** `{a: {b: 1}}` as `{'a.b': 1}`, so that other fields of `a` do not matter. */
function flattened(document: Document, path = '', into: Document = {}): Document {
  for (const [name, value] of Object.entries(document)) {
    if (isDocument(value)) flattened(value, `${path}${name}.`, into)
    else into[path + name] = value
  }
  return into
}

function without(document: Document, name: string): Document {
  const { [name]: _left, ...rest } = document
  return rest
}
