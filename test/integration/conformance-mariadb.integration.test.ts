// The acceptance suite for authors, over the JDBC connectors on a real MariaDB.
import { describeSink, describeSource } from '@millrace/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import {
  sinkManifest as jdbcSinkManifest,
  sourceManifest as jdbcSourceManifest,
} from '../../connectors/jdbc/manifest.ts'
import jdbcSink from '../../connectors/jdbc/sink.ts'
import jdbcSource from '../../connectors/jdbc/source.ts'
import { type MariaDb, mariadbMissing, startMariaDb } from '../services/mariadb.ts'
import { connector, type Gate, startGate, throughGate } from './support/conformance.ts'

const limits = { events: 4, kills: 2, starts: 20, floodEvents: 300 }

describe.skipIf(mariadbMissing())('connectors on MariaDB', () => {
  let mariadb: MariaDb
  let gate: Gate
  let tables = 0

  beforeAll(async () => {
    mariadb = await startMariaDb()
    gate = await startGate(mariadb.port)
  })
  afterAll(async () => {
    await gate?.shut()
    await mariadb?.stop()
  })

  const connection = () => ({
    'connection.url': `jdbc:mariadb://127.0.0.1:${gate.port}/${mariadb.database}`,
    'connection.user': mariadb.user,
    'connection.password': mariadb.password,
    'connection.backoff.ms': '100',
  })

  describeSource(jdbcSource, {
    manifest: jdbcSourceManifest,
    module: connector('jdbc/source.ts'),
    limits,
    async open() {
      const name = `events_${++tables}`
      await mariadb.query(`create table ${name} (id serial primary key, event text, payload mediumtext)`)
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
        async produce(events) {
          for (const { id, payload } of events) {
            await mariadb.query(`insert into ${name} (event, payload) values (?, ?)`, [id, payload])
          }
        },
        evolve: async () => void (await mariadb.query(`alter table ${name} add column note text default 'new'`)),
        ...throughGate(gate),
      }
    },
    notApplicable: { tombstones: 'rows that are deleted are not seen by asking for rows' },
  })

  const target = (more: Readonly<Record<string, string>>) => {
    const name = `target_${++tables}`
    const read = async () => {
      const there = await mariadb.query('select 1 from information_schema.tables where table_name = ?', [name])
      return there.length === 0 ? [] : mariadb.query(`select * from ${name}`)
    }
    const config = { ...connection(), 'table.name.format': name, 'auto.create': 'true', 'auto.evolve': 'true', ...more }
    return { config: { ...config, 'retry.backoff.ms': '100' }, read, ...throughGate(gate) }
  }

  describe('upsert', () => {
    describeSink(jdbcSink, {
      manifest: jdbcSinkManifest,
      module: connector('jdbc/sink.ts'),
      limits,
      guarantee: 'idempotent',
      target: 'latest',
      tombstones: 'delete',
      bad: ({ id }) => ({ key: 'k', value: id }),
      open: () =>
        target({ 'insert.mode': 'upsert', 'pk.mode': 'record_key', 'pk.fields': 'k', 'delete.enabled': 'true' }),
    })
  })

  describe('exactly once', () => {
    describeSink(jdbcSink, {
      manifest: jdbcSinkManifest,
      module: connector('jdbc/sink.ts'),
      limits,
      guarantee: 'exactly-once',
      // A table has no order.
      ordered: false,
      tombstones: 'refuse',
      bad: ({ id }) => ({ value: id }),
      open: () =>
        target({
          'insert.mode': 'insert',
          'exactly.once': 'true',
          'exactly.once.offsets.table': `offsets_${tables}`,
        }),
    })
  })
})
