import { DataError } from '@millrace/sdk'
import { simpleName } from './class-names.ts'
import { lookUp } from './documents.ts'
import type { MongoSinkConfig } from './sink-config.ts'
import type { SinkDocument } from './sink-document.ts'

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
    const part = config[`namespace.mapper.key.${what}.field`] === '' ? 'value' : 'key'
    const path = config[`namespace.mapper.${part}.${what}.field`]
    if (path === '') return fallback[what]
    const has = part === 'key' ? document.hasKey : document.hasValue
    const name = has ? lookUp(document[part], path) : undefined
    if (typeof name === 'string') return name
    if (isStrict) throw new DataError(`the field ${path} of the ${part} has no text that names a ${what}`)
    return fallback[what]
  }
  return (document) => checked({ database: look(document, 'database'), collection: look(document, 'collection') })
}

/** What the server would refuse for everything in the same bulk write. */
function checked(namespace: Namespace): Namespace {
  const { database, collection } = namespace
  if (database === '' || /[\0/\\ ".]/.test(database)) throw new DataError(`"${database}" cannot name a database`)
  if (collection === '') throw new DataError('the record names a collection without a name')
  return namespace
}
