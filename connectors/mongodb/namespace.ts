import { DataError } from '@millrace/sdk'
import { simpleName } from './class-names.ts'
import type { MongoSinkConfig } from './sink-config.ts'
import { type SinkDocument, valueAt } from './sink-document.ts'

export interface Namespace {
  readonly database: string
  readonly collection: string
}

/** Where the record of a document goes. Throws DataError. */
export type NamespaceMapper = (document: SinkDocument) => Namespace

/** The mapper of a topic: one place for all its records, or places named by fields. */
export function namespaceMapper(config: MongoSinkConfig, topic: string): NamespaceMapper {
  const fallback = { database: config.database, collection: config.collection || topic }
  if (simpleName(config['namespace.mapper']) === 'DefaultNamespaceMapper') return () => fallback
  const isStrict = config['namespace.mapper.error.if.invalid']
  const look = (document: SinkDocument, what: 'database' | 'collection'): string => {
    for (const part of ['key', 'value'] as const) {
      const path = config[`namespace.mapper.${part}.${what}.field`]
      if (path === '') continue
      const has = part === 'key' ? document.hasKey : document.hasValue
      const name = has ? valueAt(document[part], path) : undefined
      if (typeof name === 'string' && name !== '') return name
      if (isStrict) throw new DataError(`the field ${path} of the ${part} has no text that names a ${what}`)
    }
    return fallback[what]
  }
  return (document) => ({ database: look(document, 'database'), collection: look(document, 'collection') })
}
