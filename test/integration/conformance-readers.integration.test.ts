// The acceptance suite for authors, over the sources of files in every format, in folders of the disk.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SourceConnector } from '@millrace/sdk'
import { describeSource } from '@millrace/testkit'
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
  eventsIn,
  type FileReader,
  fixedWidthFile,
  generated,
  jsonFile,
  linesFile,
  parquetFile,
  READS,
  shapeless,
} from './support/event-files.ts'

const readers: readonly FileReader[] = [
  {
    source: csv,
    manifest: csvManifest,
    module: 'csv-source.ts',
    write: csvFile,
    config: { ...generated, 'csv.first.row.as.header': 'true' },
  },
  { source: json, manifest: jsonManifest, module: 'json-source.ts', write: jsonFile, config: generated },
  {
    source: schemalessJson,
    manifest: schemalessJsonManifest,
    module: 'schemaless-json-source.ts',
    write: jsonFile,
    shapeless,
  },
  { source: lines, manifest: linesManifest, module: 'lines-source.ts', write: linesFile, shapeless },
  {
    source: binary,
    manifest: binaryManifest,
    module: 'binary-source.ts',
    write: binaryFile,
    shapeless,
    isFileRecord: true,
  },
  { source: avro, manifest: avroManifest, module: 'avro-source.ts', write: avroFile },
  { source: parquet, manifest: parquetManifest, module: 'parquet-source.ts', write: parquetFile },
  {
    source: fixedWidth,
    manifest: fixedWidthManifest,
    module: 'fixed-width-source.ts',
    write: fixedWidthFile,
    config: { ...generated, 'fixed.field.lengths': '12,65536', 'fixed.field.names': 'id,payload' },
    shapeless: 'its columns are those of the configuration',
  },
  {
    source: elf,
    manifest: elfManifest,
    module: 'elf-source.ts',
    write: elfFile,
    shapeless: 'its fields are those of the log',
  },
]

for (const reader of readers) {
  const { source, manifest, module, config, shapeless: why } = reader
  describeSource(source as SourceConnector, {
    manifest,
    module: connector(`spooldir/${module}`),
    limits: { events: 3, kills: 2, starts: 10, floodEvents: 300 },
    async open() {
      const { folder, close } = temporary()
      for (const name of ['in', 'done', 'bad']) await mkdir(join(folder, name))
      return {
        config: {
          topic: 'files',
          'input.path': join(folder, 'in'),
          'finished.path': join(folder, 'done'),
          'error.path': join(folder, 'bad'),
          ...READS,
          ...config,
        },
        ...eventsIn(folder, reader),
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
