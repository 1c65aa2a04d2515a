import { defineConfig, type Parsed } from '@millrace/sdk'
import { parseKeyColumns, regexListProblem, splitList } from './filters.ts'

const regexList = (doc: string) =>
  ({
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'Filters',
    doc: `${doc} A list of regular expressions that match the whole name, whatever its case.`,
    validate: (value: string | null) => regexListProblem(value),
  }) as const

const keyColumnsProblem = (value: string | null): string | undefined => {
  try {
    parseKeyColumns(value)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const OPERATIONS = new Set(['c', 'u', 'd', 't', 'none'])

/** The settings of the connector: names, values and defaults of Debezium's Postgres connector. */
export const config = defineConfig({
  'database.hostname': {
    type: 'string',
    importance: 'high',
    group: 'Connection',
    doc: 'Host name or address of the Postgres server.',
    example: 'localhost',
    nonEmpty: true,
  },
  'database.port': {
    type: 'int',
    default: 5432,
    min: 1,
    max: 65_535,
    importance: 'high',
    group: 'Connection',
    doc: 'Port of the server.',
  },
  'database.user': {
    type: 'string',
    importance: 'high',
    group: 'Connection',
    doc: 'User with the REPLICATION attribute and SELECT on the tables.',
    nonEmpty: true,
  },
  'database.password': {
    type: 'password',
    default: null,
    importance: 'high',
    group: 'Connection',
    doc: 'Password of the user.',
  },
  'database.dbname': {
    type: 'string',
    importance: 'high',
    group: 'Connection',
    doc: 'Database to read.',
    nonEmpty: true,
  },
  'database.sslmode': {
    type: 'string',
    default: 'prefer',
    oneOf: ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'],
    importance: 'medium',
    group: 'Connection',
    doc: "Encryption and checks of the server's certificate, as libpq's sslmode.",
  },
  'database.sslrootcert': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'Connection',
    doc: 'File with the certificates of the authorities, in PEM form.',
  },
  'database.sslcert': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'Connection',
    doc: "File with the client's certificate, in PEM form.",
  },
  'database.sslkey': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'Connection',
    doc: "File with the client's private key, in PEM form.",
  },
  'database.sslpassword': {
    type: 'password',
    default: null,
    importance: 'medium',
    group: 'Connection',
    doc: 'Password of the private key.',
  },
  'database.tcpKeepAlive': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: 'Connection',
    doc: 'Send TCP keep-alive probes.',
  },
  'database.initial.statements': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Connection',
    doc:
      'SQL run on each connection that reads tables, separated by semicolons; two semicolons stand for one ' +
      'within a statement.',
  },
  'connection.validation.timeout.ms': {
    type: 'int',
    default: 60_000,
    min: 1,
    importance: 'low',
    group: 'Connection',
    doc: 'How long to wait for a connection.',
  },
  'topic.prefix': {
    type: 'string',
    importance: 'high',
    group: 'Topics',
    doc: 'Name of the server in topics and events; unique among connectors. Changing it means another connector.',
    nonEmpty: true,
    validate: (value: string) =>
      /^[\w.-]+$/.test(value) ? undefined : `"${value}" has characters other than letters, digits, ".", "_" and "-"`,
  },
  'topic.delimiter': {
    type: 'string',
    default: '.',
    importance: 'low',
    group: 'Topics',
    doc: 'What stands between prefix, schema and table.',
  },
  'topic.heartbeat.prefix': {
    type: 'string',
    default: '__debezium-heartbeat',
    importance: 'low',
    group: 'Topics',
    doc: 'Prefix of the heartbeat topic.',
  },
  'plugin.name': {
    type: 'string',
    default: 'pgoutput',
    oneOf: ['pgoutput'],
    importance: 'medium',
    group: 'Replication',
    doc: 'Logical decoding plug-in; pgoutput comes with Postgres and is the only one here.',
  },
  'slot.name': {
    type: 'string',
    default: 'debezium',
    importance: 'medium',
    group: 'Replication',
    doc: 'Replication slot; one for each connector.',
    validate: (value: string) =>
      /^[a-z0-9_]{1,63}$/.test(value)
        ? undefined
        : `"${value}": a slot has 1 to 63 lower case letters, digits and underscores`,
  },
  'slot.drop.on.stop': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Replication',
    doc: 'Drop the slot when the task stops. Changes made until it starts again are lost then; for tests.',
  },
  'slot.failover': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: 'Replication',
    doc: 'Create the slot so that it is synchronized to standbys (Postgres 17 and later).',
  },
  'slot.stream.params': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Replication',
    doc: 'More options of START_REPLICATION, as name=value pairs separated by semicolons.',
  },
  'slot.max.retries': {
    type: 'int',
    default: 6,
    min: 0,
    importance: 'low',
    group: 'Replication',
    doc: 'How often to try again when the slot is in use.',
  },
  'slot.retry.delay.ms': {
    type: 'long',
    default: 10_000,
    min: 0,
    importance: 'low',
    group: 'Replication',
    doc: 'How long to wait before the next try.',
  },
  'publication.name': {
    type: 'string',
    default: 'dbz_publication',
    nonEmpty: true,
    importance: 'low',
    group: 'Replication',
    doc: 'Publication of the tables to stream.',
  },
  'publication.autocreate.mode': {
    type: 'string',
    default: 'all_tables',
    oneOf: ['all_tables', 'disabled', 'filtered', 'no_tables'],
    importance: 'medium',
    group: 'Replication',
    doc:
      'Whether the connector makes the publication: for all tables, for the captured tables, for none, or not at ' +
      'all.',
  },
  'publish.via.partition.root': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: 'Replication',
    doc: 'Publish changes of partitions as changes of their partitioned table.',
  },
  'status.update.interval.ms': {
    type: 'int',
    default: 10_000,
    min: 100,
    importance: 'low',
    group: 'Replication',
    doc: 'How often to tell the server what is confirmed.',
  },
  'offset.mismatch.strategy': {
    type: 'string',
    default: 'no_validation',
    oneOf: ['no_validation', 'trust_offset', 'trust_slot', 'trust_greater_lsn'],
    importance: 'low',
    group: 'Replication',
    doc:
      'What to do when the slot is ahead of the stored offset, which means changes are gone: stop (the default ' +
      'and trust_offset), or go on from the slot (trust_slot, trust_greater_lsn).',
  },
  'schema.include.list': regexList('Schemas to capture.'),
  'schema.exclude.list': regexList('Schemas not to capture.'),
  'table.include.list': regexList('Tables to capture, as schema.table.'),
  'table.exclude.list': regexList('Tables not to capture, as schema.table.'),
  'column.include.list': regexList('Columns to put into events, as schema.table.column.'),
  'column.exclude.list': regexList('Columns to leave out of events, as schema.table.column. Key columns stay in keys.'),
  'message.prefix.include.list': regexList('Prefixes of logical messages to capture.'),
  'message.prefix.exclude.list': regexList('Prefixes of logical messages not to capture.'),
  'message.key.columns': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'Filters',
    doc: 'Columns of keys, where not the primary key: `schema.table:column1,column2;schema.other:column`.',
    validate: keyColumnsProblem,
  },
  'skipped.operations': {
    type: 'string',
    default: 't',
    importance: 'medium',
    group: 'Filters',
    doc: 'Operations without events: c (insert), u (update), d (delete), t (truncate), or none.',
    validate: (value: string) =>
      splitList(value).every((operation) => OPERATIONS.has(operation))
        ? undefined
        : `"${value}": only c, u, d, t and none`,
  },
  'tombstones.on.delete': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    group: 'Events',
    doc: 'Send a record with a null value after each delete, so that compaction removes the key.',
  },
  'decimal.handling.mode': {
    type: 'string',
    default: 'precise',
    oneOf: ['precise', 'double', 'string'],
    importance: 'medium',
    group: 'Events',
    doc: 'Form of numeric and money.',
  },
  'time.precision.mode': {
    type: 'string',
    default: 'adaptive',
    oneOf: ['adaptive', 'adaptive_time_microseconds', 'connect', 'isostring', 'microseconds', 'nanoseconds'],
    importance: 'medium',
    group: 'Events',
    doc: 'Form of dates and times.',
  },
  'interval.handling.mode': {
    type: 'string',
    default: 'numeric',
    oneOf: ['numeric', 'string'],
    importance: 'low',
    group: 'Events',
    doc: 'Form of intervals: microseconds or ISO 8601.',
  },
  'hstore.handling.mode': {
    type: 'string',
    default: 'json',
    oneOf: ['json', 'map'],
    importance: 'low',
    group: 'Events',
    doc: 'Form of hstore.',
  },
  'binary.handling.mode': {
    type: 'string',
    default: 'bytes',
    oneOf: ['bytes', 'base64', 'base64-url-safe', 'hex'],
    importance: 'low',
    group: 'Events',
    doc: 'Form of bytea.',
  },
  'money.fraction.digits': {
    type: 'int',
    default: 2,
    min: 0,
    max: 10,
    importance: 'low',
    group: 'Events',
    doc: 'Digits of money after the point.',
  },
  'include.unknown.datatypes': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: 'Events',
    doc: 'Send columns of types without a form of their own as the bytes of their text, instead of leaving them out.',
  },
  'unavailable.value.placeholder': {
    type: 'string',
    default: '__debezium_unavailable_value',
    importance: 'medium',
    group: 'Events',
    doc: 'Stands for a large value that did not change and was not sent. `hex:` begins bytes in hexadecimal.',
  },
  'extended.headers.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: 'Events',
    doc: 'Add the headers __debezium.context.*.',
  },
  'snapshot.mode': {
    type: 'string',
    default: 'initial',
    oneOf: ['initial', 'initial_only', 'no_data', 'always', 'when_needed'],
    importance: 'high',
    group: 'Snapshot',
    doc:
      'When to read the tables before streaming: at the first start (initial, initial_only without streaming), ' +
      'never (no_data), at each start (always), when the slot lost what is needed (when_needed).',
  },
  'snapshot.fetch.size': {
    type: 'int',
    default: 10_240,
    min: 1,
    importance: 'low',
    group: 'Snapshot',
    doc: 'Rows a read; accepted, but tables are read as one stream with back-pressure.',
  },
  'snapshot.include.collection.list': regexList(
    'Tables to take snapshots of, as schema.table; the default is all captured tables.',
  ),
  'snapshot.delay.ms': {
    type: 'long',
    default: 0,
    min: 0,
    importance: 'low',
    group: 'Snapshot',
    doc: 'How long to wait before a snapshot.',
  },
  'streaming.delay.ms': {
    type: 'long',
    default: 0,
    min: 0,
    importance: 'low',
    group: 'Snapshot',
    doc: 'How long to wait between the snapshot and streaming.',
  },
  'heartbeat.interval.ms': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    group: 'Heartbeat',
    doc:
      'How often to send a heartbeat record; 0 sends none. Not needed to keep the WAL small: idle databases are ' +
      'confirmed anyway.',
  },
  'heartbeat.action.query': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Heartbeat',
    doc: 'SQL to run with each heartbeat.',
  },
  'max.batch.size': {
    type: 'int',
    default: 2048,
    min: 1,
    importance: 'medium',
    group: 'Flow',
    doc: 'The most records in a batch.',
  },
  'max.queue.size': {
    type: 'int',
    default: 8192,
    min: 1,
    importance: 'medium',
    group: 'Flow',
    doc: 'Records that may wait; then reading from the server stops.',
  },
  'max.queue.size.in.bytes': {
    type: 'long',
    default: 0,
    min: 0,
    importance: 'medium',
    group: 'Flow',
    doc: 'Bytes that may wait; 0 means 16 MiB.',
  },
  'poll.interval.ms': {
    type: 'long',
    default: 500,
    min: 1,
    importance: 'low',
    group: 'Flow',
    doc: 'Accepted; batches are given as soon as there is a change.',
  },
  'errors.max.retries': {
    type: 'int',
    default: -1,
    min: -1,
    importance: 'low',
    group: 'Flow',
    doc: 'How often to connect again after the connection was lost; -1 is without end.',
  },
  'retriable.restart.connector.wait.ms': {
    type: 'long',
    default: 10_000,
    min: 0,
    importance: 'low',
    group: 'Flow',
    doc: 'The longest wait before connecting again.',
  },
})

export type Config = Parsed<typeof config>
