import { compileRegex, ConfigError, fullMatch, type SinkRecord } from '@millrace/sdk'
import { simpleName } from './class-names.ts'
import { type Document, isDocument } from './documents.ts'
import type { IdStrategy } from './id-strategies.ts'
import { Projection } from './projection.ts'
import { entriesOf } from './rename-rules.ts'
import type { MongoSinkConfig } from './sink-config.ts'
import type { SinkDocument } from './sink-document.ts'

/** Changes key and value in place. Throws DataError. */
export type PostProcessor = (document: SinkDocument) => void

/** A path such as `key.a.b` and its new last name, or undefined to leave it. */
type Rename = (path: string, name: string) => string | undefined

/** The chain of a topic, in the order of the configuration. */
export function postProcessors(config: MongoSinkConfig, id: IdStrategy): readonly PostProcessor[] {
  return config['post.processor.chain'].map((entry) => processorOf(simpleName(entry), config, id))
}

function processorOf(name: string, config: MongoSinkConfig, id: IdStrategy): PostProcessor {
  switch (name) {
    case 'DocumentIdAdder': {
      const overwrites = config['document.id.strategy.overwrite.existing']
      return (document) => {
        if (!overwrites && '_id' in document.value) return
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
      return ({ record, value }) => addPlace(record, value)
    case 'RenameByMapping':
      return renamer(byMapping(config['field.renamer.mapping']))
    case 'RenameByRegex':
    case 'RenameByRegExp':
      return renamer(byRegex(config['field.renamer.regexp']))
    case 'NullFieldValueRemover':
      return ({ value }) => removeNulls(value)
    default:
      throw new ConfigError(`post.processor.chain: ${name} is not known`, { key: 'post.processor.chain' })
  }
}

/** As in the original: a projector does nothing unless the projection of its side is of its type. */
function projector(name: string, part: 'key' | 'value', config: MongoSinkConfig): PostProcessor {
  const isAllowing = /^(Allow|White)/.test(name)
  const type = config[`${part}.projection.type`].toLowerCase()
  if (!(isAllowing ? ['allowlist', 'whitelist'] : ['blocklist', 'blacklist']).includes(type)) return () => undefined
  const projection = new Projection(isAllowing ? 'allowlist' : 'blocklist', config[`${part}.projection.list`])
  return (document) => {
    if (part === 'value' || document.hasKey) projection.apply(document[part])
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

function renamer(rename: Rename): PostProcessor {
  return (document) => {
    if (document.hasKey && isDocumentLike(document.record.key)) renameIn(document.key, 'key', rename)
    renameIn(document.value, 'value', rename)
  }
}

/** A key that is plain text is no document, and has no fields to rename. */
function isDocumentLike(key: unknown): boolean {
  if (typeof key === 'string') return key.trimStart().startsWith('{')
  return typeof key === 'object'
}

function renameIn(document: Document, path: string, rename: Rename): void {
  for (const [name, value] of Object.entries(document)) {
    const here = `${path}.${name}`
    if (isDocument(value)) renameIn(value, here, rename)
    else if (Array.isArray(value)) for (const item of value) if (isDocument(item)) renameIn(item, here, rename)
    const renamed = rename(here, name)
    if (renamed === undefined || renamed === name) continue
    delete document[name]
    document[renamed] = value
  }
}

function byMapping(text: string): Rename {
  const names = new Map<string, string>()
  for (const { oldName, newName } of entriesOf(text, 'field.renamer.mapping', ['oldName', 'newName'])) {
    names.set(oldName!, newName!)
  }
  return (path) => names.get(path)
}

function byRegex(text: string): Rename {
  const keys = ['regexp', 'pattern', 'replace'] as const
  const rules = entriesOf(text, 'field.renamer.regexp', keys).map(({ regexp, pattern, replace }) => ({
    matches: fullMatch(regexp!),
    pattern: compileRegex(pattern!, 'g'),
    replace: replace!,
  }))
  return (path, name) => {
    const rule = rules.find(({ matches }) => matches(path))
    return rule && name.replace(rule.pattern, rule.replace)
  }
}
