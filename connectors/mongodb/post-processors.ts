import { ConfigError, type SinkRecord } from '@millrace/sdk'
import { simpleName } from './class-names.ts'
import { type Document, isDocument } from './documents.ts'
import type { IdStrategy } from './id-strategies.ts'
import { projectionOf } from './projection.ts'
import { type Renaming, renamingByMapping, renamingByRegex } from './renaming.ts'
import type { MongoSinkConfig } from './sink-config.ts'
import type { SinkDocument } from './sink-document.ts'

/** Changes key and value in place. Throws DataError. */
export type PostProcessor = (document: SinkDocument) => void

/** The chain of a topic, in the order of the configuration. Ids are added first where it does not say when. */
export function postProcessors(config: MongoSinkConfig, id: IdStrategy): readonly PostProcessor[] {
  const names = config['post.processor.chain'].map(simpleName)
  const all = names.includes('DocumentIdAdder') ? names : ['DocumentIdAdder', ...names]
  return all.map((name) => processorOf(name, config, id))
}

function processorOf(name: string, config: MongoSinkConfig, id: IdStrategy): PostProcessor {
  switch (name) {
    case 'DocumentIdAdder': {
      const overwrites = config['document.id.strategy.overwrite.existing']
      return (document) => {
        if (!document.hasValue || (!overwrites && '_id' in document.value)) return
        document.value['_id'] = id(document)
        document.isIdMade = true
      }
    }
    case 'AllowListKeyProjector':
    case 'BlockListKeyProjector':
    case 'WhitelistKeyProjector':
    case 'BlacklistKeyProjector':
      return projector(name, 'key', config)
    case 'AllowListValueProjector':
    case 'BlockListValueProjector':
    case 'WhitelistValueProjector':
    case 'BlacklistValueProjector':
      return projector(name, 'value', config)
    case 'KafkaMetaAdder':
      return onValue(({ record, value }) => addPlace(record, value))
    case 'RenameByMapping':
      return renamer(renamingByMapping(config['field.renamer.mapping']))
    case 'RenameByRegex':
    case 'RenameByRegExp':
      return renamer(renamingByRegex(config['field.renamer.regexp']))
    case 'NullFieldValueRemover':
      return onValue(({ value }) => removeNulls(value))
    default:
      throw new ConfigError(`post.processor.chain: ${name} is not known`, { key: 'post.processor.chain' })
  }
}

/** A record without value has only a key to process. */
function onValue(process: PostProcessor): PostProcessor {
  return (document) => {
    if (document.hasValue) process(document)
  }
}

/** As in the original a projector goes by its name; the type of the projection is for ids. */
function projector(name: string, part: 'key' | 'value', config: MongoSinkConfig): PostProcessor {
  const type = /^(Allow|White)/.test(name) ? 'allowlist' : 'blocklist'
  const project = projectionOf(type, config[`${part}.projection.list`])
  if (project === undefined) return () => undefined
  if (part === 'value') return onValue(({ value }) => project(value))
  return (document) => {
    if (document.hasKey) project(document.key)
  }
}

function addPlace(record: SinkRecord, value: Document): void {
  value['topic-partition-offset'] = `${record.originalTopic}-${record.originalPartition}-${record.originalOffset}`
  const kind = { CreateTime: 'CREATE_TIME', LogAppendTime: 'LOG_APPEND_TIME', NoTimestampType: undefined }
  const field = kind[record.timestampType]
  if (field !== undefined && record.timestamp !== null) value[field] = BigInt(record.timestamp)
}

/** Removes fields that are null, in documents within documents and arrays too. */
export function removeNulls(document: Document): void {
  for (const [name, value] of Object.entries(document)) {
    if (value === null || value === undefined) delete document[name]
    else if (isDocument(value)) removeNulls(value)
    else if (Array.isArray(value)) for (const item of value) if (isDocument(item)) removeNulls(item)
  }
}

function renamer(rename: Renaming | undefined): PostProcessor {
  if (rename === undefined) return () => undefined
  return (document) => {
    if (document.hasKey && isDocumentLike(document.record.key)) rename(document.key, 'key')
    if (document.hasValue) rename(document.value, 'value')
  }
}

/** A key that is plain text is no document, and has no fields to rename. */
function isDocumentLike(key: unknown): boolean {
  if (typeof key === 'string') return key.trimStart().startsWith('{')
  return typeof key === 'object'
}
