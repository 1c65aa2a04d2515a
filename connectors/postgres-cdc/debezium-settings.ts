import type { RawConfig } from '@millrace/sdk'
import { config } from './config.ts'

/** A setting of Debezium that may be there with these values only. */
interface Refused {
  readonly default: string
  /** Other values that ask for what is done here. */
  readonly also?: readonly string[]
  readonly reason: string
}

/** Settings of Debezium that are not supported: setting them to anything but their default is refused, not ignored. */
const REFUSED: Readonly<Record<string, Refused>> = {
  'provide.transaction.metadata': { default: 'false', reason: 'the transaction topic is not supported yet' },
  'signal.data.collection': { default: '', reason: 'signals are not supported yet' },
  'signal.enabled.channels': { default: 'source', reason: 'signals are not supported yet' },
  'notification.enabled.channels': { default: '', reason: 'notifications are not supported yet' },
  'read.only': { default: 'false', reason: 'it belongs to incremental snapshots, which are not supported yet' },
  converters: { default: '', reason: 'custom converters are Java code' },
  'post.processors': { default: '', reason: 'post processors are not supported yet' },
  'column.propagate.source.type': { default: '', reason: 'source types are not propagated yet' },
  'datatype.propagate.source.type': { default: '', reason: 'source types are not propagated yet' },
  'snapshot.select.statement.overrides': { default: '', reason: 'tables are read whole' },
  'snapshot.mode.custom.name': { default: '', reason: 'custom snapshotters are Java code' },
  'snapshot.query.mode': { default: 'select_all', reason: 'tables are read whole' },
  'snapshot.query.mode.custom.name': { default: '', reason: 'custom queries are Java code' },
  'snapshot.locking.mode': { default: 'none', reason: 'a snapshot needs no locks' },
  'snapshot.max.threads': { default: '1', reason: 'parallel snapshots are not supported yet' },
  'snapshot.tables.order.by.row.count': { default: 'disabled', reason: 'tables are read by name' },
  'schema.name.adjustment.mode': { default: 'none', reason: 'names are not adjusted yet' },
  'field.name.adjustment.mode': { default: 'none', reason: 'names are not adjusted yet' },
  'skip.messages.without.change': { default: 'false', reason: 'it is not supported yet' },
  'lsn.flush.mode': {
    default: 'connector',
    reason: 'the slot is confirmed after offsets are durable, and nothing else',
  },
  'flush.lsn.source': { default: 'true', reason: 'the slot is confirmed after offsets are durable, and nothing else' },
  'replica.identity.autoset.values': {
    default: '',
    reason: 'tables are not altered; use ALTER TABLE ... REPLICA IDENTITY',
  },
  'event.converting.failure.handling.mode': {
    default: 'warn',
    also: ['fail'],
    reason: 'a value that cannot be converted stops the task',
  },
  'guardrail.collections.max': { default: '0', reason: 'it is not supported yet' },
  'xmin.fetch.interval.ms': { default: '0', reason: 'xmin is not fetched' },
  'event.processing.failure.handling.mode': { default: 'fail', reason: 'an event that cannot be read stops the task' },
  'schema.refresh.mode': { default: 'columns_diff', reason: 'schemas follow the relation messages of the server' },
  'database.include.list': { default: '', reason: 'a connector reads one database, that of "database.dbname"' },
  'database.exclude.list': { default: '', reason: 'a connector reads one database, that of "database.dbname"' },
  'include.schema.comments': { default: 'false', reason: 'comments are not read yet' },
  'openlineage.integration.enabled': { default: 'false', reason: 'lineage is not told' },
  'queue.provider.type': { default: 'memory', reason: 'records wait in memory' },
  'snapshot.locking.mode.custom.name': { default: '', reason: 'custom locks are Java code' },
  'topic.heartbeat.name': { default: '', reason: 'it is made of "topic.heartbeat.prefix" and "topic.prefix"' },
  'transaction.metadata.factory': {
    default: 'io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory',
    reason: 'it is Java code',
  },
  'database.connection.factory.class': { default: '', reason: 'it is Java code' },
  'database.sslfactory': { default: '', reason: 'it is Java code' },
  'sourceinfo.struct.maker': {
    default: 'io.debezium.connector.postgresql.PostgresSourceInfoStructMaker',
    reason: 'it is Java code',
  },
  'topic.naming.strategy': {
    default: 'io.debezium.schema.SchemaTopicNamingStrategy',
    reason: 'other strategies are not supported yet',
  },
  'table.ignore.builtin': { default: 'true', reason: "the system's own tables cannot be captured" },
}

/** Patterns of keys that change data; ignoring one could publish what should have been masked. */
const REFUSED_PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/^column\.mask\./, 'masks are not supported yet'],
  [/^column\.truncate\./, 'masks are not supported yet'],
  [/^snapshot\.mode\.configuration\.based\./, 'the mode configuration_based is not supported yet'],
  [/^snapshot\.select\.statement\.overrides\./, 'tables are read whole'],
]

/** Keys that Debezium has given up: ignoring a filter under its old name would publish more than was asked for. */
const RENAMED: Readonly<Record<string, string>> = {
  'schema.whitelist': 'schema.include.list',
  'schema.blacklist': 'schema.exclude.list',
  'table.whitelist': 'table.include.list',
  'table.blacklist': 'table.exclude.list',
  'column.whitelist': 'column.include.list',
  'column.blacklist': 'column.exclude.list',
  'slot.drop_on_stop': 'slot.drop.on.stop',
  'toasted.value.placeholder': 'unavailable.value.placeholder',
  'heartbeat.topics.prefix': 'topic.heartbeat.prefix',
}

/**
 * Settings of Debezium that are accepted with every value and change nothing here, with the reason. A name that ends in
 * `*` stands for all that begin so.
 */
export const WITHOUT_EFFECT: readonly (readonly [string, string])[] = [
  ['custom.metric.tags', 'they belong to MBeans; metrics are those of the worker'],
  ['custom.sanitize.pattern', 'values of type password are never shown, and configurations are not logged'],
  ['database.query.timeout.ms', 'queries have no limit: the copy of a large table takes its time'],
  ['executor.shutdown.timeout.ms', "the worker's `task.shutdown.graceful.timeout.ms` counts"],
  ['guardrail.collections.limit.action', 'it belongs to `guardrail.collections.max`, which is refused'],
  ['include.schema.changes', 'Postgres has no topic of schema changes, in Debezium neither'],
  ['incremental.snapshot.*', 'it belongs to incremental snapshots, which `signal.data.collection` would start'],
  ['legacy.snapshot.max.threads', 'it belongs to `snapshot.max.threads`, which is refused'],
  ['lsn.flush.timeout.*', 'nothing waits for the confirmation of the slot'],
  ['memory.management.*', 'they say how Java code holds schemas in memory'],
  ['notification.*', 'they belong to `notification.enabled.channels`, which is refused'],
  ['openlineage.integration.*', 'they belong to `openlineage.integration.enabled`, which is refused'],
  ['poll.dispatch.interval.ms', 'batches are given as soon as there is a change'],
  ['query.fetch.size', 'rows are read as one stream with back-pressure'],
  ['schema.history.*', 'Postgres needs no history of schemas, in Debezium neither'],
  ['signal.*', 'they belong to `signal.enabled.channels`, which is refused'],
  ['snapshot.isolation.mode', 'a snapshot is always one consistent state: that in which the stream begins'],
  ['snapshot.lock.timeout.ms', 'a snapshot takes no locks'],
  ['snapshot.max.threads.multiplier', 'it belongs to `snapshot.max.threads`, which is refused'],
  ['statistics.metrics.enabled', 'metrics are those of the worker'],
  ['topic.cache.size', 'names of topics are kept with their tables'],
  ['topic.transaction', 'it belongs to `provide.transaction.metadata`, which is refused'],
  ['driver.*', 'they are for the JDBC driver; there is none'],
  ['database.*', 'those that are not above are for the JDBC driver; there is none'],
  ['internal.*', 'Debezium keeps them for itself'],
]

/** Keys that are set to something that this connector does not do, each with the reason. */
export function unsupportedSettings(raw: RawConfig): { key: string; message: string }[] {
  return Object.entries(raw).flatMap(([key, value]) => {
    const message = problemOf(key, value.trim())
    return message === undefined ? [] : [{ key, message }]
  })
}

function problemOf(key: string, value: string): string | undefined {
  const known = REFUSED[key]
  if (known !== undefined) {
    const accepted = [known.default, ...(known.also ?? [])]
    if (value === '' || accepted.includes(value) || accepted.includes(value.toLowerCase())) return undefined
    const fix = known.default === '' ? 'remove it' : `remove it or set it to "${known.default}"`
    return `"${value}" is not possible: ${known.reason}; ${fix}`
  }
  if (RENAMED[key] !== undefined) return `it is called "${RENAMED[key]}" now; rename it`
  const pattern = REFUSED_PATTERNS.find(([regex]) => regex.test(key))
  return pattern && `${pattern[1]}; remove it`
}

const isNamed = (key: string, name: string): boolean =>
  name.endsWith('*') ? key.startsWith(name.slice(0, -1)) : key === name

/** Keys of this configuration that are accepted and change nothing. */
export function settingsWithoutEffect(raw: RawConfig): string[] {
  return Object.keys(raw).filter(
    (key) =>
      !Object.hasOwn(config, key) && REFUSED[key] === undefined && WITHOUT_EFFECT.some(([name]) => isNamed(key, name)),
  )
}
