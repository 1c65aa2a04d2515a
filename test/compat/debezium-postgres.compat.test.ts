import { readFileSync } from 'node:fs'
import pgClient from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfigKeys, type Schema } from '@millrace/sdk'
import { silentLogger } from '../../src/base/index.ts'
import jsonConverter from '../../src/connect/converters/json/json-converter.ts'
import { CdcRun, configFor, type Seen, until } from '../integration/support/cdc-runner.ts'
import { type Postgres, postgresMissing, startPostgres } from '../services/postgres.ts'
import { normalHeaders, normalPayload, normalSchema, readExact } from './debezium-normal.ts'
import { before, changes, variants } from './debezium-scenario.ts'

interface GoldenRecord {
  readonly key: unknown
  readonly value: unknown
  readonly keySchema: string | null
  readonly valueSchema: string | null
  readonly headers: readonly string[]
}

interface Golden {
  readonly schemas: Readonly<Record<string, unknown>>
  readonly topics: Readonly<Record<string, readonly GoldenRecord[]>>
}

const options = parseConfigKeys(jsonConverter.config, { 'schemas.enable': 'true' })
const converter = jsonConverter.create(
  Object.fromEntries([...options].map(([name, { value }]) => [name, value])) as never,
  { isKey: false, logger: silentLogger },
)

/** The schema as JsonConverter writes it. */
function schemaOf(schema: Schema | null, value: unknown): unknown {
  if (schema === null) return null
  const text = Buffer.from(converter.fromConnectData('t', schema, value) ?? '').toString('utf8')
  return normalSchema((readExact(text) as { schema: never }).schema)
}

const headerText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function normal(seen: Seen): Omit<GoldenRecord, 'keySchema' | 'valueSchema'> {
  const { record } = seen
  const built = (part: 'key' | 'value'): string | null => {
    const bytes = converter.fromConnectData('t', record[`${part}Schema`], record[part])
    return bytes === null || record[`${part}Schema`] === null
      ? null
      : JSON.stringify(JSON.parse(bytes.toString()).payload)
  }
  return {
    key: normalPayload(seen.key ?? (record.jsonText ? null : built('key'))),
    value: normalPayload(seen.value ?? (record.jsonText ? null : built('value'))),
    headers: normalHeaders(seen.headers.flatMap((header) => [header.key, headerText(header.value)])),
  }
}

/** Where we are different on purpose: what Debezium does there is wrong. Each must really differ. */
const DIFFERENCES: readonly { readonly path: RegExp; readonly why: string }[] = [
  { path: /every_type.*\.c_date$/, why: 'Debezium loses the "BC" of dates' },
  { path: /every_type.*\.c_name$/, why: 'Debezium streams null for the type name' },
  { path: /every_type.*\.c_hstore$/, why: 'the members are in the order of a Java HashMap there, of Postgres here' },
  { path: /every_type.*\.fields\.9[49]\.items\.optional$/, why: 'an array of an enum can hold nulls' },
  {
    path: /every_type.*\.fields\.9[49]\.items\.parameters\.allowed$/,
    why: 'a new label also shows in the array of the enum',
  },
  { path: /toasted.*\.big_b$/, why: 'an unchanged bytea is the placeholder, not null' },
  { path: /composite.*\.key\.a$/, why: 'a key column that is excluded from the value keeps its value in the key' },
  { path: /composite.*\.keySchema\.fields\.1\.optional$/, why: 'the same' },
  { path: /fallbacks.*\.fields\.35\.optional$/, why: 'a NOT NULL circle is not optional' },
  { path: /fallbacks.*\.q_date$/, why: 'current_date is the day of the capture' },
  {
    path: /^connect\/.*\.c_ts3?$/,
    why: 'the logical type Timestamp is a Date here, which ends before the infinities of the Java driver',
  },
  { path: /using_index/, why: 'Debezium makes deletes of key 0 where the replica identity lacks the key' },
  { path: /^isostring\/pfx\.inv\.plain/, why: 'the same, for message.key.columns outside of the replica identity' },
  {
    path: /^nanoseconds\/pfx\.inv\.(fallbacks|altered): /,
    why: 'Debezium fails at a delete with NOT NULL nanoseconds',
  },
]
const seenDifferences = new Set<RegExp>()

/** The paths where two values differ, but for the differences above. */
function differences(path: string, ours: unknown, theirs: unknown): string[] {
  if (Object.is(ours, theirs)) return []
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
  if (isObject(ours) && isObject(theirs)) {
    const names = new Set([...Object.keys(theirs), ...Object.keys(ours)])
    return [...names].flatMap((name) => differences(`${path}.${name}`, ours[name], theirs[name]))
  }
  return unlessKnown(path, `${path}: ours ${JSON.stringify(ours)} theirs ${JSON.stringify(theirs)}`)
}

function unlessKnown(path: string, message: string): string[] {
  const known = DIFFERENCES.filter(({ path: pattern }) => pattern.test(path))
  for (const { path: pattern } of known) seenDifferences.add(pattern)
  return known.length > 0 ? [] : [message]
}

describe.skipIf(postgresMissing(15) !== null)('events equal those of Debezium 3.7.0', () => {
  let pg: Postgres
  beforeAll(async () => {
    pg = await startPostgres({ version: 15 })
  })
  afterAll(async () => pg?.stop())

  test.each(Object.keys(variants))('%s', async (name) => {
    const golden = JSON.parse(readFileSync(new URL(`golden/debezium-${name}.json`, import.meta.url), 'utf8')) as Golden
    const database = `db_${name.replace('-', '_')}`
    await pg.query(`create database ${database}`)
    const run = await capture(pg, database, variants[name] ?? {})
    const byTopic = Map.groupBy(run.seen, (seen) => seen.topic)
    expect([...byTopic.keys()].sort()).toEqual(expect.arrayContaining(Object.keys(golden.topics)))
    const found = Object.entries(golden.topics).flatMap(([topic, theirs]) => {
      const ours = byTopic.get(topic) ?? []
      const path = `${name}/${topic}`
      const records = theirs.flatMap((record, index) => compare(`${path}[${index}]`, ours[index], record, golden))
      const message = `${path}: ours ${ours.length} records, theirs ${theirs.length}`
      const isHeartbeat = topic.startsWith('__debezium')
      return isHeartbeat || ours.length === theirs.length ? records : [...records, ...unlessKnown(message, message)]
    })
    expect(found.join('\n')).toBe('')
  })

  test('every difference on purpose was seen', () => {
    const unseen = DIFFERENCES.filter(({ path }) => !seenDifferences.has(path) && !path.source.includes('q_date'))
    expect(unseen.map(({ path, why }) => `${path}: ${why}`)).toEqual([])
  })
})

function compare(path: string, ours: Seen | undefined, theirs: GoldenRecord, golden: Golden): string[] {
  if (ours === undefined) return unlessKnown(path, `${path}: missing`)
  const { record } = ours
  const mine = normal(ours)
  const schemaDifferences = (part: 'key' | 'value'): string[] => {
    const id = theirs[`${part}Schema`]
    const schema = schemaOf(record[`${part}Schema`], record[part])
    return differences(`${path}.${part}Schema`, schema, id === null ? null : golden.schemas[id])
  }
  return [
    ...differences(`${path}.key`, mine.key, theirs.key),
    ...differences(`${path}.value`, mine.value, theirs.value),
    ...differences(`${path}.headers`, mine.headers, theirs.headers),
    ...schemaDifferences('key'),
    ...schemaDifferences('value'),
  ]
}

/** Waits until the stream received what is in the WAL now. */
async function caughtUp(client: pgClient.Client): Promise<void> {
  const { rows } = await client.query('select pg_current_wal_lsn() as lsn')
  await until(
    () => 'the stream to catch up',
    async () => {
      const received = await client.query(
        'select write_lsn >= $1::pg_lsn as done from pg_stat_replication where application_name like $2',
        [rows[0].lsn, 'millrace%'],
      )
      return received.rows[0]?.done === true
    },
  )
}

/** The last record of the scenario; where a variant does not capture its table, the message before it. */
function isEnd(variant: Readonly<Record<string, string>>): (seen: Seen) => boolean {
  const hasPlain = /plain/.test(variant['table.include.list'] ?? 'plain')
  return (seen) =>
    hasPlain
      ? seen.topic.endsWith('plain') && (seen.value ?? '').includes('"id":999')
      : seen.topic === 'pfx.message' && (seen.record.key as { prefix: string }).prefix === 'bar'
}

/** Runs the scenario and gives what came. */
async function capture(pg: Postgres, database: string, variant: Readonly<Record<string, string>>): Promise<CdcRun> {
  const client = new pgClient.Client({ host: pg.host, port: pg.port, user: pg.user, database })
  await client.connect()
  try {
    await client.query(before)
    const run = await CdcRun.start(
      configFor(
        { ...pg, database },
        {
          'slot.name': database,
          'publication.name': database,
          'schema.include.list': 'inv',
          'status.update.interval.ms': '100',
          ...variant,
        },
      ),
    )
    await run.streaming()
    for (const statement of changes) {
      // Schemas come from the catalogue as it is when a relation is described, so each change of it waits.
      if (statement.startsWith('alter')) await caughtUp(client)
      await client.query(statement)
    }
    await run.until(isEnd(variant))
    // It comes by the clock, and the changes may have been faster.
    if ('heartbeat.interval.ms' in variant) await run.until(({ topic }) => topic.startsWith('__debezium'))
    await run.stop()
    return run
  } finally {
    await client.end()
  }
}
