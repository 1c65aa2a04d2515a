// The acceptance suite for authors, over the sources of files in every format, in folders of the disk.
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PluginManifest, RawConfig, SourceConnector } from '@millrace/sdk'
import { describeSource, type TestEvent } from '@millrace/testkit'
import avro from '../../connectors/spooldir/avro-source.ts'
import binary from '../../connectors/spooldir/binary-source.ts'
import csv from '../../connectors/spooldir/csv-source.ts'
import elf from '../../connectors/spooldir/elf-source.ts'
import fixedWidth from '../../connectors/spooldir/fixed-width-source.ts'
import json from '../../connectors/spooldir/json-source.ts'
import lines from '../../connectors/spooldir/lines-source.ts'
import {
  avroManifest,
  binaryManifest,
  csvManifest,
  elfManifest,
  fixedWidthManifest,
  jsonManifest,
  linesManifest,
  parquetManifest,
  schemalessJsonManifest,
} from '../../connectors/spooldir/manifest.ts'
import parquet from '../../connectors/spooldir/parquet-source.ts'
import schemalessJson from '../../connectors/spooldir/schemaless-json-source.ts'
import { connector, temporary } from './support/conformance.ts'
import {
  avroFile,
  binaryFile,
  csvFile,
  elfFile,
  fixedWidthFile,
  jsonFile,
  linesFile,
  parquetFile,
  type WriteEvents,
} from './support/event-files.ts'

interface Reader {
  readonly source: unknown
  readonly manifest: PluginManifest
  readonly path: string
  readonly write: WriteEvents
  readonly config?: RawConfig
  /** Why data of another shape cannot come; undefined where files have their shape with them. */
  readonly shapeless?: string
  readonly isFileRecord?: boolean
}

const generated = { 'schema.generation.enabled': 'true' }
const shapeless = 'its records have no shape'

const readers: readonly Reader[] = [
  {
    source: csv,
    manifest: csvManifest,
    path: 'csv-source',
    write: csvFile,
    config: { ...generated, 'csv.first.row.as.header': 'true' },
  },
  { source: json, manifest: jsonManifest, path: 'json-source', write: jsonFile, config: generated },
  {
    source: schemalessJson,
    manifest: schemalessJsonManifest,
    path: 'schemaless-json-source',
    write: jsonFile,
    shapeless,
  },
  { source: lines, manifest: linesManifest, path: 'lines-source', write: linesFile, shapeless },
  { source: binary, manifest: binaryManifest, path: 'binary-source', write: binaryFile, shapeless, isFileRecord: true },
  { source: avro, manifest: avroManifest, path: 'avro-source', write: avroFile },
  { source: parquet, manifest: parquetManifest, path: 'parquet-source', write: parquetFile },
  {
    source: fixedWidth,
    manifest: fixedWidthManifest,
    path: 'fixed-width-source',
    write: fixedWidthFile,
    config: { ...generated, 'fixed.field.lengths': '12,65536', 'fixed.field.names': 'id,payload' },
    shapeless: 'its columns are those of the configuration',
  },
  {
    source: elf,
    manifest: elfManifest,
    path: 'elf-source',
    write: elfFile,
    shapeless: 'its fields are those of the log',
  },
]

for (const { source, manifest, path, write, config, shapeless: why, isFileRecord } of readers) {
  describeSource(source as SourceConnector, {
    manifest,
    module: connector(`spooldir/${path}.ts`),
    limits: { events: 3, kills: 2, starts: 10, floodEvents: 300 },
    async open() {
      const { folder, close } = temporary()
      for (const name of ['in', 'done', 'bad']) await mkdir(join(folder, name))
      let [files, evolved] = [0, false]
      const add = async (events: readonly TestEvent[]): Promise<void> => {
        const name = `${String(files++).padStart(5, '0')}.data`
        await writeFile(join(folder, name), write(events, evolved))
        await rename(join(folder, name), join(folder, 'in', name))
      }
      return {
        config: {
          topic: 'files',
          'input.path': join(folder, 'in'),
          'finished.path': join(folder, 'done'),
          'error.path': join(folder, 'bad'),
          'input.file.pattern': '.*\\.data',
          'empty.poll.wait.ms': '5',
          'batch.size': '2',
          // Those who end in the middle leave their leases behind.
          'lease.timeout.ms': '1000',
          ...config,
        },
        async produce(events) {
          if (isFileRecord) for (const event of events) await add([event])
          else await add(events)
        },
        ...(why === undefined
          ? {
              evolve: () => {
                evolved = true
              },
            }
          : {}),
        close,
      }
    },
    notApplicable: {
      outage: 'a folder is there or not, there is no way to it that could break',
      tombstones: 'lines of a file are not removed',
      ...(why === undefined ? {} : { 'schema-evolution': why }),
    },
  })
}
