import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { connectionConfig } from './connection-config.ts'
import { compilePattern, parseColumnMapping } from './patterns.ts'

const TABLE_TYPES = [
  'TABLE',
  'PARTITIONED TABLE',
  'VIEW',
  'MATERIALIZED VIEW',
  'FOREIGN TABLE',
  'SYSTEM TABLE',
  'GLOBAL TEMPORARY',
  'LOCAL TEMPORARY',
  'ALIAS',
  'SYNONYM',
] as const

type All = Readonly<Record<string, unknown>>

/** Runs a check that throws and gives its message. */
function messageOf(check: () => void): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return (error as Error).message.replace(/^[\w.]+: /, '')
  }
}

const listOfPatterns = (key: string) => (list: readonly string[]) =>
  messageOf(() => {
    for (const pattern of list) compilePattern(key, pattern)
  })

const listOfMappings = (key: string) => (list: readonly string[]) =>
  messageOf(() => {
    for (const entry of list) parseColumnMapping(key, entry)
  })

const modeKeys = {
  mode: {
    type: 'string',
    oneOf: ['bulk', 'incrementing', 'timestamp', 'timestamp+incrementing'],
    importance: 'high',
    doc:
      'How new rows are found. bulk: the whole table each time. incrementing: rows with a higher ' +
      'number, for tables that only grow. timestamp: rows with a newer time stamp, which finds updates ' +
      'too. timestamp+incrementing: both, which finds updates and loses no row of an equal time stamp.',
    group: 'Mode',
    dependents: ['incrementing.column.name', 'timestamp.column.name', 'validate.non.null'],
    displayName: 'Table loading mode',
  },
  'incrementing.column.name': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The column whose numbers only grow. Empty: the only identity or serial column of the table is taken.',
    group: 'Mode',
    displayName: 'Incrementing column',
  },
  'incrementing.column.mapping': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc:
      'Entries regex:column that give each table its incrementing column; exactly one entry must match ' +
      'the full name of a table.',
    validate: listOfMappings('incrementing.column.mapping'),
    group: 'Mode',
    displayName: 'Incrementing columns by table',
  },
  'timestamp.column.name': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'The columns that hold the time of the last change; of several the first that is not null counts.',
    group: 'Mode',
    displayName: 'Timestamp columns',
  },
  'timestamp.columns.mapping': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc:
      'Entries regex:[column1|column2] that give each table its timestamp columns; exactly one entry ' +
      'must match the full name of a table.',
    validate: listOfMappings('timestamp.columns.mapping'),
    group: 'Mode',
    displayName: 'Timestamp columns by table',
  },
  'validate.non.null': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc:
      'Refuse tables whose incrementing column, or all of whose timestamp columns, may be null: rows ' +
      'with a null would never be found.',
    group: 'Mode',
    displayName: 'Check for NOT NULL',
  },
  'timestamp.initial': {
    type: 'long',
    default: null,
    importance: 'low',
    doc:
      'Where to start when there is no stored offset, in milliseconds since the epoch; -1 is the ' +
      'present time of the database. Left out: the epoch.',
    group: 'Mode',
    aliases: ['timestamp.initial.ms'],
    displayName: 'Initial timestamp',
  },
  'incrementing.initial': {
    type: 'long',
    default: -1,
    importance: 'low',
    doc: 'Rows with a higher number than this are found when there is no stored offset.',
    group: 'Mode',
    displayName: 'Initial number',
  },
  'timestamp.delay.interval.ms': {
    type: 'long',
    default: 0,
    min: 0,
    importance: 'high',
    doc:
      'How far behind the present time of the database to stay, in milliseconds, so that transactions ' +
      'that commit late with an older time stamp are seen. Set it above the longest transaction that ' +
      'writes these tables.',
    group: 'Mode',
    displayName: 'Delay (ms)',
  },
  'timestamp.await.transactions': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc:
      'Whether each query ends before the start of the oldest transaction that is still open, so that ' +
      'a row stamped by now() is never missed, however late its transaction commits. A transaction ' +
      'that stays open holds everything back. PostgreSQL only; needs the role pg_read_all_stats. An ' +
      'addition of Millrace.',
    group: 'Mode',
    displayName: 'Await open transactions',
  },
  'timestamp.granularity': {
    type: 'string',
    default: 'connect_logical',
    oneOf: [
      'connect_logical',
      'micros_long',
      'micros_string',
      'micros_iso_datetime_string',
      'nanos_long',
      'nanos_string',
      'nanos_iso_datetime_string',
    ],
    importance: 'low',
    doc:
      'What timestamp columns become: the logical type Timestamp with milliseconds, or numbers or text ' +
      'that keep microseconds.',
    group: 'Mode',
    displayName: 'Timestamp granularity',
  },
} as const satisfies ConfigDef

const tableKeys = {
  'table.whitelist': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'The tables to copy: table or schema.table. Excludes the other lists.',
    validate: (list: readonly string[], all: All) =>
      list.length > 0 && hasAny(all, 'table.blacklist', 'table.include.list', 'table.exclude.list')
        ? 'excludes table.blacklist, table.include.list and table.exclude.list; keep one of them'
        : undefined,
    group: 'Tables',
    displayName: 'Tables to copy',
  },
  'table.blacklist': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'The tables not to copy: table or schema.table. Excludes the other lists.',
    validate: (list: readonly string[], all: All) =>
      list.length > 0 && hasAny(all, 'table.include.list', 'table.exclude.list')
        ? 'excludes table.include.list and table.exclude.list; keep one kind of list'
        : undefined,
    group: 'Tables',
    displayName: 'Tables not to copy',
  },
  'table.include.list': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'Regular expressions; tables whose full name (schema.table) matches one are copied.',
    validate: listOfPatterns('table.include.list'),
    group: 'Tables',
    displayName: 'Tables to copy (patterns)',
  },
  'table.exclude.list': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'Regular expressions; of the included tables, those whose full name matches one are left out.',
    validate: (list: readonly string[], all: All) =>
      list.length > 0 && !hasAny(all, 'table.include.list')
        ? 'needs table.include.list'
        : listOfPatterns('table.exclude.list')(list),
    group: 'Tables',
    displayName: 'Tables to leave out (patterns)',
  },
  'catalog.pattern': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc:
      'A LIKE pattern for the database name; left out: no narrowing. With MySQL and MariaDB left out or empty ' +
      'is the database of the URL.',
    group: 'Tables',
    displayName: 'Catalog pattern',
  },
  'schema.pattern': {
    type: 'string',
    default: null,
    importance: 'high',
    doc:
      'A LIKE pattern for the schemas of the tables; left out: no narrowing. MySQL and MariaDB take it for ' +
      'the database name as well; SQLite has no schemas.',
    group: 'Tables',
    displayName: 'Schema pattern',
  },
  'table.types': {
    type: 'list',
    default: ['TABLE'] as readonly string[],
    oneOf: TABLE_TYPES,
    importance: 'low',
    doc:
      'The kinds of tables to look for. A kind that the database does not have finds nothing: PostgreSQL, ' +
      'MySQL and SQLite have no ALIAS, SYNONYM or GLOBAL TEMPORARY.',
    group: 'Tables',
    displayName: 'Table types',
  },
  query: {
    type: 'string',
    default: '',
    importance: 'medium',
    doc:
      'A SELECT to run instead of copying tables; its rows go to the topic named by topic.prefix. In ' +
      'the incremental modes it is wrapped in a subquery, so it may have a WHERE of its own.',
    validate: (query: string, all: All) =>
      query !== '' && hasAny(all, 'table.whitelist', 'table.blacklist', 'table.include.list', 'query.masked')
        ? 'excludes the table lists and query.masked; keep one of them'
        : undefined,
    group: 'Tables',
    width: 'long',
    displayName: 'Query',
  },
  'query.masked': {
    type: 'password',
    default: '',
    importance: 'medium',
    doc: 'As query, but never shown.',
    group: 'Tables',
    width: 'long',
    displayName: 'Query (hidden)',
  },
  'query.suffix': {
    type: 'string',
    default: '',
    importance: 'low',
    doc:
      'Text appended to every query, for example FOR SHARE. A LIMIT can lose rows of an equal time ' +
      'stamp in the mode timestamp.',
    group: 'Tables',
    displayName: 'Query suffix',
  },
} as const satisfies ConfigDef

const readingKeys = {
  'query.retry.attempts': {
    type: 'int',
    default: -1,
    min: -1,
    importance: 'low',
    doc: 'How often a query that failed for a passing reason is tried again before the task fails; -1 is for ever.',
    group: 'Reading',
    displayName: 'Query retries',
  },
  'numeric.mapping': {
    type: 'string',
    default: null,
    oneOf: ['none', 'precision_only', 'best_fit', 'best_fit_eager_double'],
    ignoreCase: true,
    importance: 'low',
    doc:
      'What NUMERIC columns become. none: Decimal. precision_only: whole numbers up to 18 digits ' +
      'become integers. best_fit: those with digits after the point become FLOAT64 as well, up to 18 ' +
      'digits in all. best_fit_eager_double: FLOAT64 whatever the precision.',
    group: 'Reading',
    displayName: 'Numeric mapping',
  },
  'numeric.precision.mapping': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Deprecated: true is numeric.mapping=precision_only.',
    group: 'Reading',
    displayName: 'Numeric precision mapping',
  },
  'transaction.isolation.mode': {
    type: 'string',
    default: 'DEFAULT',
    oneOf: ['DEFAULT', 'READ_UNCOMMITTED', 'READ_COMMITTED', 'REPEATABLE_READ', 'SERIALIZABLE', 'SQL_SERVER_SNAPSHOT'],
    importance: 'low',
    doc: 'The isolation level of the reading transactions. SQL_SERVER_SNAPSHOT belongs to SQL Server.',
    validate: (mode: string) =>
      mode === 'SQL_SERVER_SNAPSHOT' ? 'belongs to SQL Server; no other database has such a level' : undefined,
    group: 'Reading',
    displayName: 'Isolation level',
  },
  'poll.interval.ms': {
    type: 'int',
    default: 5000,
    min: 0,
    importance: 'high',
    doc: 'How long to wait between two queries of the same table, in milliseconds.',
    group: 'Reading',
    displayName: 'Poll interval (ms)',
  },
  'batch.max.rows': {
    type: 'int',
    default: 1000,
    min: 1,
    importance: 'low',
    doc:
      'The most rows in one batch. It limits memory, not the query: the rest of the result follows in ' +
      'further batches.',
    group: 'Reading',
    displayName: 'Rows per batch',
  },
  'max.buffer.size': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'The most rows fetched from the database at once; 0 is batch.max.rows.',
    group: 'Reading',
    displayName: 'Buffered rows',
  },
  'poll.linger.ms': {
    type: 'int',
    default: 5000,
    min: 0,
    importance: 'low',
    doc: 'How long one poll waits for rows before it returns with none, in milliseconds.',
    group: 'Reading',
    displayName: 'Poll linger (ms)',
  },
  'table.poll.interval.ms': {
    type: 'long',
    default: 60_000,
    min: 0,
    importance: 'low',
    doc: 'How often to look for new and dropped tables, in milliseconds.',
    group: 'Reading',
    displayName: 'Table poll interval (ms)',
  },
  'table.monitoring.startup.polling.limit.ms': {
    type: 'long',
    default: 10_000,
    min: 0,
    importance: 'low',
    doc: 'How long the first look for tables may take when the connector starts, in milliseconds.',
    group: 'Reading',
    displayName: 'First table poll limit (ms)',
  },
  'table.names.qualify': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether queries write the schema before the table name; false leaves it to the search path.',
    group: 'Reading',
    displayName: 'Qualify table names',
  },
  'topic.prefix': {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'Put before the table name to make the topic name; with a query it is the topic name.',
    validate: (prefix: string) =>
      prefix.length > 249 || !/^[A-Za-z0-9._-]*$/.test(prefix)
        ? 'holds at most 249 characters of A-Z, a-z, 0-9, dot, underscore and hyphen'
        : undefined,
    group: 'Reading',
    displayName: 'Topic prefix',
  },
} as const satisfies ConfigDef

function hasAny(all: All, ...keys: string[]): boolean {
  return keys.some((key) => {
    const value = all[key]
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== ''
  })
}

/** The configuration of the JDBC source. */
export const sourceConfig = defineConfig({ ...connectionConfig, ...modeKeys, ...tableKeys, ...readingKeys })

export type SourceConfig = Parsed<typeof sourceConfig>
