import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { connectionConfig } from './connection-config.ts'

type All = Readonly<Record<string, unknown>>

const writeKeys = {
  'insert.mode': {
    type: 'string',
    default: 'insert',
    oneOf: ['insert', 'upsert', 'update'],
    ignoreCase: true,
    importance: 'high',
    doc:
      'insert: INSERT. upsert: INSERT ... ON CONFLICT on the primary key DO UPDATE, with MySQL and MariaDB ' +
      'ON DUPLICATE KEY UPDATE. update: UPDATE of rows that exist.',
    validate: (mode: string, all: All) =>
      mode !== 'insert' && all['pk.mode'] === 'none'
        ? `needs a pk.mode other than none, for ${mode} finds rows by their key`
        : undefined,
    group: 'Writes',
    displayName: 'Insert mode',
  },
  'batch.size': {
    type: 'int',
    default: 3000,
    min: 1,
    importance: 'medium',
    doc: 'The most records of one table in one statement.',
    group: 'Writes',
    displayName: 'Batch size',
  },
  'delete.enabled': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Whether a record with a null value deletes the row of its key. Needs pk.mode=record_key.',
    validate: (enabled: boolean, all: All) =>
      enabled && all['pk.mode'] !== 'record_key'
        ? 'needs pk.mode=record_key, for only the key says which row to delete'
        : undefined,
    group: 'Writes',
    displayName: 'Delete on null',
  },
  'replace.null.with.default': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether a null is replaced by the default of its field, where the schema has one.',
    group: 'Writes',
    displayName: 'Defaults for nulls',
  },
  'table.types': {
    type: 'list',
    default: ['TABLE'] as readonly string[],
    oneOf: ['TABLE', 'PARTITIONED TABLE', 'VIEW'],
    importance: 'low',
    doc: 'The kinds of tables that may be written to.',
    group: 'Writes',
    displayName: 'Table types',
  },
  'envelope.unwrap': {
    type: 'string',
    default: 'none',
    oneOf: ['none', 'debezium'],
    importance: 'medium',
    doc:
      'With debezium, records are change events: the row after the change is written, a delete deletes ' +
      'by the key, a placeholder for an unchanged large value leaves the column alone. An addition of ' +
      'Millrace.',
    group: 'Writes',
    displayName: 'Envelope',
  },
} as const satisfies ConfigDef

const mappingKeys = {
  'table.name.format': {
    type: 'string',
    default: '${topic}',
    nonEmpty: true,
    importance: 'medium',
    doc:
      'The table for a topic, with a schema or not. ${topic} is the topic; ${table}, an addition of ' +
      'Millrace, is the part of the topic after the last dot.',
    example: 'reporting.${table}',
    group: 'Mapping',
    displayName: 'Table name format',
  },
  'table.name.normalize': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc:
      'Whether characters of the topic other than letters, digits and underscores become underscores ' +
      'in the table name.',
    group: 'Mapping',
    displayName: 'Normalize table names',
  },
  'topics.to.tables.mapping': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'Entries topic:table that win over table.name.format.',
    validate: (list: readonly string[]) => {
      const wrong = list.find((entry) => !/^[^:]+:[^:]+$/.test(entry))
      return wrong === undefined ? undefined : `"${wrong}" is not of the form topic:table`
    },
    group: 'Mapping',
    displayName: 'Topics to tables',
  },
  'pk.mode': {
    type: 'string',
    default: 'none',
    oneOf: ['none', 'kafka', 'record_key', 'record_value'],
    ignoreCase: true,
    importance: 'high',
    doc:
      'Where the primary key comes from. kafka: topic, partition and offset of the record. record_key: ' +
      'the key, a struct or a primitive. record_value: fields of the value.',
    group: 'Mapping',
    dependents: ['pk.fields'],
    displayName: 'Primary key mode',
  },
  'pk.fields': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc:
      'The primary key columns. kafka: none or exactly three names for topic, partition and offset. ' +
      'record_key: exactly one name for a primitive key; for a struct the fields to take, none for ' +
      'all. record_value: the fields to take, none for all.',
    validate: (list: readonly string[], all: All) =>
      all['pk.mode'] === 'kafka' && list.length !== 0 && list.length !== 3
        ? 'has to be empty or name exactly three columns, for topic, partition and offset, with pk.mode=kafka'
        : undefined,
    group: 'Mapping',
    displayName: 'Primary key fields',
  },
  'fields.whitelist': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'The fields of the value to write; empty for all. Primary key fields are written in any case.',
    group: 'Mapping',
    displayName: 'Fields to write',
  },
  'string.output.value.column.name': {
    type: 'string',
    default: 'record_value',
    nonEmpty: true,
    importance: 'low',
    doc: 'The column that takes values that are text rather than structs.',
    group: 'Mapping',
    displayName: 'Column for text values',
  },
  'date.timezone': {
    type: 'string',
    default: 'DB_TIMEZONE',
    oneOf: ['DB_TIMEZONE', 'UTC'],
    importance: 'low',
    doc: 'The zone in which a Date becomes a calendar day: that of db.timezone, or UTC, which is what Date means.',
    group: 'Mapping',
    displayName: 'Zone of dates',
  },
  'timestamp.precision.mode': {
    type: 'string',
    default: 'microseconds',
    oneOf: ['microseconds', 'nanoseconds'],
    importance: 'low',
    doc: 'The unit of the fields in timestamp.fields.list.',
    group: 'Mapping',
    displayName: 'Timestamp precision',
  },
  'timestamp.fields.list': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc: 'INT64 or STRING fields that hold a time since the epoch and are written as TIMESTAMP.',
    group: 'Mapping',
    displayName: 'Timestamp fields',
  },
} as const satisfies ConfigDef

const otherKeys = {
  'auto.create': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Whether to create a table that is missing, from the schema of the records.',
    group: 'Tables',
    displayName: 'Create tables',
  },
  'auto.evolve': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc:
      'Whether to add columns that are missing, for fields that are optional or have a default. ' +
      'Nothing is ever dropped or retyped.',
    group: 'Tables',
    displayName: 'Add columns',
  },
  'max.retries': {
    type: 'int',
    default: 10,
    min: 0,
    importance: 'medium',
    doc: 'How often a batch that failed for a passing reason is tried again before its records are tried one by one.',
    group: 'Errors',
    displayName: 'Retries',
  },
  'retry.backoff.ms': {
    type: 'int',
    default: 3000,
    min: 0,
    importance: 'medium',
    doc: 'How long to wait before a retry, in milliseconds.',
    group: 'Errors',
    displayName: 'Retry back-off (ms)',
  },
  'trim.sensitive.log': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether to leave out of errors what the server quotes of the row.',
    group: 'Errors',
    displayName: 'No values in errors',
  },
  'mssql.use.merge.holdlock': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Accepted for configs that have it; it belongs to SQL Server.',
    group: 'Errors',
    displayName: 'SQL Server HOLDLOCK',
  },
  'exactly.once': {
    type: 'boolean',
    default: false,
    importance: 'high',
    doc:
      'Whether to keep the offsets in a table of the target, written in the transaction of the rows, ' +
      'so that each record is written once whatever fails. An addition of Millrace.',
    group: 'Exactly once',
    displayName: 'Exactly once',
  },
  'exactly.once.offsets.table': {
    type: 'string',
    default: 'millrace_sink_offsets',
    nonEmpty: true,
    importance: 'low',
    doc: 'The table for the offsets of exactly.once; it is created when it is missing.',
    group: 'Exactly once',
    displayName: 'Offsets table',
  },
} as const satisfies ConfigDef

/** The configuration of the JDBC sink. */
export const sinkConfig = defineConfig({ ...connectionConfig, ...writeKeys, ...mappingKeys, ...otherKeys })

export type SinkConfig = Parsed<typeof sinkConfig>
