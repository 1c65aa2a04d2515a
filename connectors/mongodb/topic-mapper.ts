import { ConfigError, fullMatch } from '@millrace/sdk'

/** What names of topics are made of. */
export interface TopicSettings {
  readonly 'topic.prefix': string
  readonly 'topic.suffix': string
  readonly 'topic.separator': string
  readonly 'topic.namespace.map': string
}

/** The topic of a database and a collection, which is empty for what happens to a database. */
export type TopicMapper = (database: string, collection: string) => string

type Template = (database: string, collection: string, separator: string) => string

interface NamespaceMap {
  readonly simple: ReadonlyMap<string, string>
  readonly patterns: readonly { readonly matches: (namespace: string) => boolean; readonly template: Template }[]
  readonly others: string | undefined
}

const KEY = 'topic.namespace.map'

const VARIABLES: Readonly<Record<string, Template>> = {
  db: (database) => database,
  coll: (_database, collection) => collection,
  sep: (_database, _collection, separator) => separator,
  sep_coll: (_database, collection, separator) => collection && separator + collection,
  coll_sep: (_database, collection, separator) => collection && collection + separator,
  sep_coll_sep: (_database, collection, separator) => collection && separator + collection + separator,
}

/** The mapper of a configuration. Throws ConfigError. */
export function topicMapper(settings: TopicSettings): TopicMapper {
  const separator = settings['topic.separator']
  const prefix = settings['topic.prefix'] && settings['topic.prefix'] + separator
  const suffix = settings['topic.suffix'] && separator + settings['topic.suffix']
  const map = parseNamespaceMap(settings[KEY])
  const cache = new Map<string, string>()
  return (database, collection) => {
    const namespace = collection === '' ? database : `${database}.${collection}`
    let topic = cache.get(namespace)
    if (topic === undefined) {
      topic = prefix + plainTopic(map, database, collection, separator) + suffix
      cache.set(namespace, topic)
    }
    return topic
  }
}

function plainTopic(map: NamespaceMap, database: string, collection: string, separator: string): string {
  const namespace = collection === '' ? database : `${database}.${collection}`
  const exact = map.simple.get(namespace)
  if (exact !== undefined) return exact
  const joined = (first: string): string => (collection === '' ? first : first + separator + collection)
  const ofDatabase = map.simple.get(database)
  if (ofDatabase !== undefined) return joined(ofDatabase)
  const pattern = map.patterns.find(({ matches }) => matches(namespace))
  if (pattern) return pattern.template(database, collection, separator)
  return map.others ?? joined(database)
}

/** Reads `topic.namespace.map`; entries with an empty topic do not count. Throws ConfigError. */
export function parseNamespaceMap(text: string): NamespaceMap {
  const simple = new Map<string, string>()
  const patterns: { matches: (namespace: string) => boolean; template: Template }[] = []
  let others: string | undefined
  for (const [namespace, topic] of entriesOf(text)) {
    if (topic === '') continue
    if (namespace === '*') others = topic
    else if (namespace.startsWith('/')) {
      const matches = fullMatch(namespace.slice(1))
      patterns.push({ matches, template: templateOf(topic) })
    } else if (namespace.includes('/')) {
      throw wrong(`"${namespace}" has a slash; only regular expressions do, and they begin with it`)
    } else simple.set(namespace, topic)
  }
  return { simple, patterns, others }
}

function entriesOf(text: string): [string, string][] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text === '' ? '{}' : text)
  } catch (error) {
    throw wrong(`is no JSON: ${(error as Error).message}`)
  }
  const isMap = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  if (isMap && Object.values(parsed as object).every((topic) => typeof topic === 'string')) {
    return Object.entries(parsed as Record<string, string>)
  }
  throw wrong('has to be a JSON object from namespaces to topics')
}

/** A topic with variables such as {db} and {sep_coll}. */
function templateOf(topic: string): Template {
  const parts: Template[] = []
  for (const [part] of topic.matchAll(/\{[^{}]*\}|[^{}]+|[{}]/g)) {
    if (part === '{' || part === '}') throw wrong(`"${topic}" has a brace that belongs to no variable`)
    if (!part.startsWith('{')) parts.push(() => part)
    else {
      const name = part.slice(1, -1)
      const variable = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined
      if (!variable) throw wrong(`${part} is no variable; there are ${Object.keys(VARIABLES).join(', ')}`)
      parts.push(variable)
    }
  }
  return (database, collection, separator) => parts.map((part) => part(database, collection, separator)).join('')
}

function wrong(message: string): ConfigError {
  return new ConfigError(`${KEY} ${message}`, { key: KEY })
}
