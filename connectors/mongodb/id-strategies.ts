import { randomUUID } from 'node:crypto'
import { Binary, ObjectId, UUID } from 'mongodb'
import { DataError } from '@millrace/sdk'
import { simpleName } from './class-names.ts'
import { projectionOf } from './projection.ts'
import type { MongoSinkConfig } from './sink-config.ts'
import { copyOf, type SinkDocument } from './sink-document.ts'

export type IdStrategy = (document: SinkDocument) => unknown

/** Makes the `_id` of a record by the configured strategy. */
export function idStrategy(config: MongoSinkConfig): IdStrategy {
  const strategy = simpleName(config['document.id.strategy'])
  const isText = config['document.id.strategy.uuid.format'] === 'string'
  switch (strategy) {
    case 'BsonOidStrategy':
      return () => new ObjectId()
    case 'KafkaMetaDataStrategy':
      return ({ record }) => `${record.originalTopic}#${record.originalPartition}#${record.originalOffset}`
    case 'FullKeyStrategy':
      // The key itself, as in the original: what the chain does to the key later it does to the id.
      return (document) => (document.hasKey ? document.key : {})
    case 'PartialKeyStrategy':
      return partial(config, 'key')
    case 'PartialValueStrategy':
      return partial(config, 'value')
    case 'ProvidedInKeyStrategy':
      return (document) => provided(document, 'key')
    case 'ProvidedInValueStrategy':
      return (document) => provided(document, 'value')
    case 'UuidStrategy':
      return () => (isText ? randomUUID() : new UUID().toBinary())
    case 'UuidProvidedInKeyStrategy':
      return (document) => uuidOf(provided(document, 'key'))
    case 'UuidProvidedInValueStrategy':
      return (document) => uuidOf(provided(document, 'value'))
    default:
      throw new DataError(`document.id.strategy=${strategy} is not known`)
  }
}

function partial(config: MongoSinkConfig, part: 'key' | 'value'): IdStrategy {
  const own = config[`document.id.strategy.partial.${part}.projection.type`]
  const isOwn = own !== ''
  const type = isOwn ? own : config[`${part}.projection.type`]
  const fields = isOwn
    ? config[`document.id.strategy.partial.${part}.projection.list`]
    : config[`${part}.projection.list`]
  const project = projectionOf(/^(block|black)list$/i.test(type) ? 'blocklist' : 'allowlist', fields)
  return (document) => {
    const copy = copyOf(part === 'key' && !document.hasKey ? {} : document[part])
    project?.(copy)
    return copy
  }
}

function provided(document: SinkDocument, part: 'key' | 'value'): unknown {
  const has = part === 'key' ? document.hasKey : document.hasValue
  const id = has ? document[part]['_id'] : undefined
  if (id === undefined || id === null) throw new DataError(`the ${part} has no field _id, or it is null`)
  return id
}

function uuidOf(id: unknown): Binary {
  if (id instanceof Binary && (id.sub_type === Binary.SUBTYPE_UUID || id.sub_type === Binary.SUBTYPE_UUID_OLD))
    return id
  if (typeof id !== 'string' || !UUID.isValid(id)) throw new DataError('the _id is no UUID')
  return new UUID(id).toBinary()
}
