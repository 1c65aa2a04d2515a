import { DataError, type RawConfig, type SinkRecord } from '@millrace/sdk'
import { cdcHandler } from './cdc-handlers.ts'
import { simpleName } from './class-names.ts'
import { dateReader } from './date-reader.ts'
import { idStrategy } from './id-strategies.ts'
import { type Namespace, namespaceMapper } from './namespace.ts'
import { postProcessors } from './post-processors.ts'
import type { MongoSinkConfig } from './sink-config.ts'
import { SinkDocument } from './sink-document.ts'
import { convertTimeField } from './time-field.ts'
import { configOfTopic, hasOverrides } from './topic-overrides.ts'
import { type Operation, writeModel } from './write-models.ts'

/** How the bulk writes of a target are done. */
export interface BulkSettings {
  readonly ordered: boolean
  /** The most writes in one bulk; 0: as many as come. */
  readonly maxBatch: number
  readonly pauseMs: number
  readonly pauseEvery: number
}

/** Where records go that travel in the same bulk writes. */
export interface Target {
  readonly name: string
  readonly namespace: Namespace
  readonly config: MongoSinkConfig
  readonly bulk: BulkSettings
}

/** One write and where it goes. */
export interface Planned {
  readonly target: Target
  readonly operation: Operation
  /** The `_id` is of this record alone, so a document that has it already is this very record. */
  readonly isOwnId: boolean
}

/** Made of the configuration of a topic. */
interface TopicPlan {
  readonly config: MongoSinkConfig
  /** Topics with keys of their own do not share bulk writes with others. */
  readonly group: string
  readonly namespaceOf: (document: SinkDocument) => Namespace
  readonly operationOf: (document: SinkDocument) => Operation | null
  /** The id strategy gives every record an id of its own. */
  readonly hasOwnIds: boolean
}

const OWN_IDS: ReadonlySet<string> = new Set(['BsonOidStrategy', 'KafkaMetaDataStrategy', 'UuidStrategy'])

/** What is written for records, by the configuration of their topics. */
export class TopicPlans {
  readonly #raw: RawConfig
  readonly #config: MongoSinkConfig
  readonly #nowMs: () => number
  readonly #plans = new Map<string, TopicPlan>()
  readonly #targets = new Map<string, Target>()

  constructor(raw: RawConfig, config: MongoSinkConfig, nowMs: () => number) {
    this.#raw = raw
    this.#config = config
    this.#nowMs = nowMs
  }

  /** The write of a record, or null for none. Throws DataError where the record is at fault. */
  plan(record: SinkRecord): Planned | null {
    const plan = this.#planOf(record.topic)
    const document = new SinkDocument(record)
    // Before anything is renamed or removed.
    const namespace = plan.namespaceOf(document)
    const operation = plan.operationOf(document)
    const isOwnId = plan.hasOwnIds && document.isIdMade
    return operation && { target: this.#targetOf(plan, namespace), operation, isOwnId }
  }

  target(name: string): Target {
    return this.#targets.get(name)!
  }

  #planOf(topic: string): TopicPlan {
    let plan = this.#plans.get(topic)
    if (plan === undefined) this.#plans.set(topic, (plan = this.#newPlan(topic)))
    return plan
  }

  #newPlan(topic: string): TopicPlan {
    const isOwn = hasOverrides(this.#raw, topic)
    const config = isOwn ? configOfTopic(this.#raw, topic) : this.#config
    const operationOf = operations(config, this.#nowMs)
    return {
      config,
      group: isOwn ? topic : '',
      namespaceOf: namespaceMapper(config, topic),
      operationOf,
      hasOwnIds: OWN_IDS.has(simpleName(config['document.id.strategy'])),
    }
  }

  #targetOf({ config, group }: TopicPlan, namespace: Namespace): Target {
    const name = `${namespace.database}\0${namespace.collection}\0${group}`
    let target = this.#targets.get(name)
    if (target === undefined) this.#targets.set(name, (target = newTarget(name, namespace, config)))
    return target
  }
}

function newTarget(name: string, namespace: Namespace, config: MongoSinkConfig): Target {
  const bulk = {
    ordered: config['bulk.write.ordered'],
    maxBatch: config['max.batch.size'],
    pauseMs: config['rate.limiting.timeout'],
    pauseEvery: config['rate.limiting.every.n'],
  }
  return { name, namespace, config, bulk }
}

function operations(config: MongoSinkConfig, nowMs: () => number): (document: SinkDocument) => Operation | null {
  const handle = cdcHandler(
    config['change.data.capture.handler'],
    config['change.data.capture.handler.remove.null.values'],
  )
  if (handle !== undefined) return handle
  const id = idStrategy(config)
  const processors = postProcessors(config, id)
  const write = writeModel(simpleName(config['writemodel.strategy']), config, nowMs)
  const remove = writeModel(simpleName(config['delete.writemodel.strategy']), config, nowMs, id)
  const timeField = config['timeseries.timefield']
  const convertsTime = timeField !== '' && config['timeseries.timefield.auto.convert']
  const readDate = dateReader(config['timeseries.timefield.auto.convert.date.format'])
  return (document) => {
    for (const process of processors) process(document)
    if (!document.hasValue) return remove(deletable(document, config))
    if (convertsTime) convertTimeField(document.value, timeField, readDate)
    return write(document)
  }
}

/** Invariant 3: a record without value is not left out without a word. */
function deletable(document: SinkDocument, config: MongoSinkConfig): SinkDocument {
  if (config['delete.on.null.values']) return document
  throw new DataError('the record has no value; set delete.on.null.values if it is to delete a document')
}
