import { BSON, type AbstractCursor, type MongoClient } from 'mongodb'
import { compileRegex } from '@millrace/sdk'
import type { Document } from './documents.ts'
import type { Namespace } from './namespace.ts'
import { READ_OPTIONS } from './read-options.ts'
import type { MongoSourceConfig } from './source-config.ts'

/** Of the server itself. */
const OWN_DATABASES: ReadonlySet<string> = new Set(['admin', 'config', 'local'])

/** Reads what is there, as inserts: several collections at a time, each with a cursor that reads ahead only so much. */
export class Copier {
  readonly #client: MongoClient
  readonly #config: MongoSourceConfig
  #waiting: Namespace[] | undefined
  readonly #open: AbstractCursor<Document>[] = []

  constructor(client: MongoClient, config: MongoSourceConfig) {
    this.#client = client
    this.#config = config
  }

  /** About so many documents; null when there are no more. */
  async next(max: number): Promise<Document[] | null> {
    this.#waiting ??= await selectNamespaces(this.#client, this.#config)
    const threads = this.#config['startup.mode.copy.existing.max.threads']
    while (this.#open.length < threads && this.#waiting.length > 0)
      this.#open.push(this.#cursor(this.#waiting.shift()!))
    if (this.#open.length === 0) return null
    const share = Math.max(1, Math.floor(max / this.#open.length))
    const batches = await Promise.all(this.#open.map((cursor) => this.#read(cursor, share)))
    return batches.flat()
  }

  async close(): Promise<void> {
    for (const cursor of this.#open.splice(0)) await cursor.close().catch(() => undefined)
  }

  async #read(cursor: AbstractCursor<Document>, max: number): Promise<Document[]> {
    if (await cursor.hasNext()) return cursor.readBufferedDocuments(max)
    this.#open.splice(this.#open.indexOf(cursor), 1)
    await cursor.close()
    return []
  }

  #cursor({ database, collection }: Namespace): AbstractCursor<Document> {
    const threads = this.#config['startup.mode.copy.existing.max.threads']
    const queue = Math.floor(this.#config['startup.mode.copy.existing.queue.size'] / threads)
    return this.#client
      .db(database)
      .collection(collection)
      .aggregate<Document>(copyPipeline(this.#config, { database, collection }), {
        ...READ_OPTIONS,
        allowDiskUse: this.#config['startup.mode.copy.existing.allow.disk.use'],
        // What one poll cannot take would only lie in memory.
        batchSize: Math.max(1, Math.min(queue, this.#config['poll.max.batch.size'])),
      })
  }
}

/** Documents in the form of insert events, so that `pipeline` works on them as on change events. */
export function copyPipeline(config: MongoSourceConfig, { database, collection }: Namespace): Document[] {
  const asInsert = {
    _id: { _id: '$_id', copyingData: true },
    operationType: 'insert',
    documentKey: { _id: '$_id' },
    fullDocument: '$$ROOT',
    ns: { $literal: { db: database, coll: collection } },
  }
  return [
    ...stagesOf(config['startup.mode.copy.existing.pipeline']),
    { $replaceRoot: { newRoot: asInsert } },
    ...stagesOf(config.pipeline),
  ]
}

/** The stages of a pipeline in extended JSON. */
export function stagesOf(text: string): Document[] {
  return text === '' ? [] : (BSON.EJSON.parse(text) as unknown as Document[])
}

async function selectNamespaces(client: MongoClient, config: MongoSourceConfig): Promise<Namespace[]> {
  const { database, collection } = config
  const pattern = config['startup.mode.copy.existing.namespace.regex']
  const regex = pattern === '' ? undefined : compileRegex(pattern)
  const namespaces =
    database !== '' && collection !== '' ? [{ database, collection }] : await collectionsOf(client, database)
  return namespaces.filter((each) => regex?.test(`${each.database}.${each.collection}`) ?? true)
}

/** The collections of a database, or of all. Views have no change streams, and their documents are copied anyway. */
async function collectionsOf(client: MongoClient, database: string): Promise<Namespace[]> {
  const databases = database === '' ? await databaseNames(client) : [database]
  const found = await Promise.all(
    databases.map(async (name) => {
      const collections = await client.db(name).listCollections({}, { nameOnly: true }).toArray()
      return collections
        .filter(({ name: each, type }) => type !== 'view' && !each.startsWith('system.'))
        .map((each) => ({ database: name, collection: each.name }))
    }),
  )
  return found.flat()
}

async function databaseNames(client: MongoClient): Promise<string[]> {
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true })
  return databases.map(({ name }) => name).filter((name) => !OWN_DATABASES.has(name))
}
