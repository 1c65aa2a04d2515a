// The acceptance suite for authors, over the JDBC connectors and change data capture on a real Postgres.
import { describeSink, describeSource, type SourceSystem, type TestEvent } from '@millrace/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import {
  sinkManifest as jdbcSinkManifest,
  sourceManifest as jdbcSourceManifest,
} from '../../connectors/jdbc/manifest.ts'
import jdbcSink from '../../connectors/jdbc/sink.ts'
import jdbcSource from '../../connectors/jdbc/source.ts'
import { manifest as cdcManifest } from '../../connectors/postgres-cdc/manifest.ts'
import cdcSource from '../../connectors/postgres-cdc/source.ts'
import { type Postgres, postgresMissing, startPostgres } from '../services/postgres.ts'
import { connector, type Gate, startGate, throughGate } from './support/conformance.ts'

describe.skipIf(postgresMissing(15) !== null)('connectors on Postgres', () => {
  let postgres: Postgres
  let gate: Gate
  let tables = 0

  beforeAll(async () => {
    postgres = await startPostgres({ version: 15, wal: 'logical', settings: { max_replication_slots: '50' } })
    gate = await startGate(postgres.port)
  })
  afterAll(async () => {
    await gate?.shut()
    await postgres?.stop()
  })

  const connection = () => ({
    'connection.url': `jdbc:postgresql://127.0.0.1:${gate.port}/${postgres.database}`,
    'connection.user': postgres.user,
    'connection.password': postgres.password,
    'connection.backoff.ms': '100',
  })

  /** A table of events, with what sources need of it. */
  async function eventsTable(): Promise<
    { name: string } & Required<Pick<SourceSystem, 'produce' | 'evolve' | 'remove'>>
  > {
    const name = `events_${++tables}`
    await postgres.query(`create table ${name} (id serial primary key, event text, payload text)`)
    const insert = (events: readonly TestEvent[]) =>
      postgres.query(`insert into ${name} (event, payload) select * from unnest($1::text[], $2::text[])`, [
        events.map(({ id }) => id),
        events.map(({ payload }) => payload),
      ])
    return {
      name,
      produce: async (events) => void (await insert(events)),
      evolve: async () => void (await postgres.query(`alter table ${name} add column note text default 'new'`)),
      remove: async (events) =>
        void (await postgres.query(`delete from ${name} where event = any($1)`, [events.map(({ id }) => id)])),
    }
  }

  describeSource(jdbcSource, {
    manifest: jdbcSourceManifest,
    module: connector('jdbc/source.ts'),
    limits: { events: 4, kills: 3, starts: 30, floodEvents: 400 },
    async open() {
      const { name, produce, evolve } = await eventsTable()
      return {
        config: {
          ...connection(),
          'table.whitelist': name,
          mode: 'incrementing',
          'incrementing.column.name': 'id',
          'topic.prefix': 'db-',
          'poll.interval.ms': '5',
          'poll.linger.ms': '5',
          'batch.max.rows': '3',
        },
        produce,
        evolve,
        ...throughGate(gate),
      }
    },
    notApplicable: { tombstones: 'rows that are deleted are not seen by asking for rows' },
  })

  describeSink(jdbcSink, {
    manifest: jdbcSinkManifest,
    module: connector('jdbc/sink.ts'),
    limits: { events: 4, kills: 3, starts: 30, floodEvents: 400 },
    guarantee: 'idempotent',
    target: 'latest',
    tombstones: 'delete',
    bad: ({ id }) => ({ key: 'k', value: id }),
    open() {
      const name = `target_${++tables}`
      const config = {
        ...connection(),
        'table.name.format': name,
        'auto.create': 'true',
        'auto.evolve': 'true',
        'insert.mode': 'upsert',
        'pk.mode': 'record_key',
        'pk.fields': 'k',
        'delete.enabled': 'true',
        'retry.backoff.ms': '100',
      }
      const isThere = async () =>
        (await postgres.query('select to_regclass($1) as found', [name]))[0]?.['found'] !== null
      const read = async () => ((await isThere()) ? postgres.query(`select * from "${name}"`) : [])
      return { config, read, ...throughGate(gate) }
    },
  })

  describeSource(cdcSource, {
    manifest: cdcManifest,
    module: connector('postgres-cdc/source.ts'),
    // Each life has to take the slot, which only one has at a time.
    limits: { events: 3, kills: 3, starts: 20, floodEvents: 200 },
    async open() {
      const { name, produce, evolve, remove } = await eventsTable()
      const slot = `slot_${name}`
      return {
        config: {
          'database.hostname': '127.0.0.1',
          'database.port': String(gate.port),
          'database.user': postgres.user,
          'database.password': postgres.password,
          'database.dbname': postgres.database,
          'topic.prefix': 'cdc',
          'table.include.list': `public.${name}`,
          'slot.name': slot,
          'publication.name': `publication_${name}`,
          'retriable.restart.connector.wait.ms': '100',
          'slot.retry.delay.ms': '100',
          'slot.max.retries': '600',
          'poll.interval.ms': '5',
          'max.batch.size': '10',
          'max.queue.size': '20',
        },
        produce,
        evolve,
        remove,
        ...throughGate(gate),
        async close() {
          await postgres.query(`drop publication if exists publication_${name}`)
          await postgres.query(
            'select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1 and active',
            [slot],
          )
        },
      }
    },
  })
})
