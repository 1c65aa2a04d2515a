// The acceptance suite for authors, over the connectors that need no server: files, a sink of files, SQLite, Datagen.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describeSink, describeSource, type SinkOptions } from '@millrace/testkit'
import { datagenManifest } from '../../connectors/datagen/manifest.ts'
import datagenSource from '../../connectors/datagen/source.ts'
import { fileManifests } from '../../connectors/file/manifest.ts'
import fileSink from '../../connectors/file/sink.ts'
import fileSource from '../../connectors/file/source.ts'
import {
  sinkManifest as jdbcSinkManifest,
  sourceManifest as jdbcSourceManifest,
} from '../../connectors/jdbc/manifest.ts'
import jdbcSink from '../../connectors/jdbc/sink.ts'
import jdbcSource from '../../connectors/jdbc/source.ts'
import { sinkManifest as spooldirSinkManifest } from '../../connectors/spooldir/manifest.ts'
import spooldirSink from '../../connectors/spooldir/sink.ts'
import { connector, temporary } from './support/conformance.ts'

const limits = { events: 5, kills: 4, starts: 100, floodEvents: 200 }

const LINES = {
  tombstones: 'lines of a file are not removed',
  'schema-evolution': 'lines have no shape',
  outage: 'a file is there or not, there is no way to it that could break',
}

const [sourceManifest, sinkManifest] = fileManifests

describeSource(fileSource, {
  ...(sourceManifest ? { manifest: sourceManifest } : {}),
  module: connector('file/source.ts'),
  limits,
  open() {
    const { folder, close } = temporary()
    const file = join(folder, 'lines')
    writeFileSync(file, '')
    return {
      config: { file, topic: 'lines', 'batch.size': '3' },
      produce: (events) => appendFile(file, events.map(({ id, payload }) => `${id}${payload}\n`).join('')),
      close,
    }
  },
  notApplicable: LINES,
})

const NO_SHAPE = { 'schema-evolution': 'values are written as they are', 'bad-records': 'every value has a text' }

describeSink(fileSink, {
  ...(sinkManifest ? { manifest: sinkManifest } : {}),
  module: connector('file/sink.ts'),
  limits,
  tombstones: 'write',
  record: ({ id, key, payload }) => ({ key, value: `${id}${payload}` }),
  open() {
    const { folder, close } = temporary()
    const file = join(folder, 'lines')
    writeFileSync(file, '')
    return { config: { file }, read: () => readFileSync(file, 'utf8').split('\n'), close }
  },
  notApplicable: {
    ...NO_SHAPE,
    outage: LINES.outage,
    'required-config': 'without a file it writes to the standard output',
    'invalid-config': 'every text may be a file',
  },
})

/** The lines of all complete files of a folder. */
function linesIn(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => path.endsWith('.json'))
  return paths.toSorted().flatMap((path) => readFileSync(path, 'utf8').split('\n').slice(0, -1))
}

describeSink(spooldirSink, {
  manifest: spooldirSinkManifest,
  module: connector('spooldir/sink.ts'),
  limits,
  ordered: false,
  open() {
    const { folder, close } = temporary()
    const config = { 'output.path': folder, 'output.format': 'json', 'flush.size': '2', 'rotate.interval.ms': '20' }
    return { config, read: () => linesIn(folder), close }
  },
  notApplicable: {
    outage: LINES.outage,
    'bad-records': 'every value can be written as JSON',
  },
})

const WITHOUT_SERVER = 'a file is always there; what waits for a lock of SQLite is in the tests of the connector'

describeSource(jdbcSource, {
  manifest: jdbcSourceManifest,
  module: connector('jdbc/source.ts'),
  limits,
  open() {
    const { folder, close } = temporary()
    const file = join(folder, 'a.db')
    const database = new DatabaseSync(file, { timeout: 60_000 })
    database.exec('pragma journal_mode = wal; create table events (id integer primary key, event text, payload text)')
    let columns = 'event, payload'
    return {
      config: {
        'connection.url': `jdbc:sqlite:${file}`,
        'table.whitelist': 'events',
        mode: 'incrementing',
        'incrementing.column.name': 'id',
        'topic.prefix': 'db-',
        'poll.interval.ms': '5',
        'poll.linger.ms': '5',
        'batch.max.rows': '3',
      },
      produce(events) {
        const insert = database.prepare(
          `insert into events (${columns}) values (?, ?${columns === 'event, payload' ? '' : ', ?'})`,
        )
        for (const { id, payload } of events) insert.run(id, payload, ...(columns === 'event, payload' ? [] : ['new']))
      },
      evolve() {
        database.exec('alter table events add column note text')
        columns = 'event, payload, note'
      },
      close() {
        database.close()
        close()
      },
    }
  },
  notApplicable: {
    outage: WITHOUT_SERVER,
    tombstones: 'rows that are deleted are not seen by asking for rows',
  },
})

/** The sink of a database with a table of events. */
function sqliteSink(
  more: Readonly<Record<string, string>>,
): Pick<SinkOptions, 'open' | 'manifest' | 'module' | 'limits'> {
  return {
    manifest: jdbcSinkManifest,
    module: connector('jdbc/sink.ts'),
    limits,
    open(topic) {
      const { folder, close } = temporary()
      const file = join(folder, 'a.db')
      const database = new DatabaseSync(file, { timeout: 60_000 })
      database.exec('pragma journal_mode = wal')
      const isThere = () => database.prepare('select 1 from sqlite_master where name = ?').get(topic) !== undefined
      return {
        config: { 'connection.url': `jdbc:sqlite:${file}`, 'auto.create': 'true', 'auto.evolve': 'true', ...more },
        read: () => (isThere() ? database.prepare(`select * from "${topic}" order by rowid`).all() : []),
        close() {
          database.close()
          close()
        },
      }
    },
  }
}

describeSink(jdbcSink, {
  ...sqliteSink({ 'insert.mode': 'insert', 'exactly.once': 'true' }),
  guarantee: 'exactly-once',
  tombstones: 'refuse',
  bad: ({ id }) => ({ value: id }),
  notApplicable: { outage: WITHOUT_SERVER },
})

describeSink(jdbcSink, {
  ...sqliteSink({ 'insert.mode': 'upsert', 'pk.mode': 'record_key', 'pk.fields': 'k', 'delete.enabled': 'true' }),
  guarantee: 'idempotent',
  target: 'latest',
  tombstones: 'delete',
  bad: ({ id }) => ({ key: 'k', value: id }),
  notApplicable: { outage: WITHOUT_SERVER },
})

describeSource(datagenSource, {
  manifest: datagenManifest,
  module: connector('datagen/source.ts'),
  limits,
  open: () => ({
    config: { 'kafka.topic': 'orders', quickstart: 'orders', 'max.interval': '0', 'random.seed': '7' },
  }),
  notApplicable: {
    outage: 'there is no system beside the task',
    tombstones: 'what is generated is not removed',
    'schema-evolution': 'what is generated keeps its shape',
  },
})
