import { BSON, type ChangeStreamOptions, type CollationOptions, type MongoClient, Timestamp } from 'mongodb'
import type { EventStream } from './change-reader.ts'
import { stagesOf } from './copier.ts'
import type { Document } from './documents.ts'
import { operationTime } from './operation-time.ts'
import { READ_OPTIONS } from './read-options.ts'
import type { MongoSourceConfig } from './source-config.ts'

/** Opens the change stream of a configuration: of the deployment, of a database or of a collection. */
export function watch(client: MongoClient, config: MongoSourceConfig, startAfter: Document | undefined): EventStream {
  const { database, collection } = config
  const options = { ...streamOptions(config), ...startOf(config, startAfter) }
  const pipeline = stagesOf(config.pipeline)
  if (database === '') return client.watch(pipeline, options) as EventStream
  const db = client.db(database)
  return (
    collection === '' ? db.watch(pipeline, options) : db.collection(collection).watch(pipeline, options)
  ) as EventStream
}

function startOf(config: MongoSourceConfig, startAfter: Document | undefined): ChangeStreamOptions {
  if (startAfter !== undefined) return { startAfter }
  const time = operationTime(config['startup.mode.timestamp.start.at.operation.time'])
  if (config['startup.mode'].toLowerCase() !== 'timestamp' || time === undefined) return {}
  return { startAtOperationTime: new Timestamp({ t: time.seconds, i: time.increment }) }
}

/** What is asked of a change stream, whatever place it starts at. */
export function streamOptions(config: MongoSourceConfig): ChangeStreamOptions {
  const asked = config['change.stream.full.document']
  const fullDocument = asked === '' && config['publish.full.document.only'] ? 'updateLookup' : asked
  const before = config['change.stream.full.document.before.change']
  return {
    ...READ_OPTIONS,
    maxAwaitTimeMS: config['poll.await.time.ms'],
    // What one poll cannot take would only lie in memory.
    batchSize: config['batch.size'] || config['poll.max.batch.size'],
    ...(fullDocument === '' ? {} : { fullDocument }),
    ...(before === '' || before === 'default' ? {} : { fullDocumentBeforeChange: before }),
    ...(config['change.stream.show.expanded.events'] ? { showExpandedEvents: true } : {}),
    ...(config.collation === '' ? {} : { collation: BSON.EJSON.parse(config.collation) as CollationOptions }),
  }
}
