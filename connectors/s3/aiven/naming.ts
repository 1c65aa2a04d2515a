import type { SinkRecord } from '@millrace/sdk'
import { zoneOffset } from '../../_shared/storage-sink/index.ts'
import type { AivenSinkConfig } from './config.ts'
import { fileName, fileNameTemplate, type Grouping, groupingOf, type NameContext } from './file-name.ts'

/** How objects are called, and with that what belongs together in one. */
export interface Naming {
  readonly grouping: Grouping
  /** Throws DataError when the record gives no name. */
  nameOf(record: SinkRecord, startOffset: number): string
}

const DEFAULT = '{{topic}}-{{partition}}-{{start_offset}}'
const OLD_DEFAULT = '{{topic}}-{{partition}}-{{start_offset:padding=true}}'
const ENDINGS: Readonly<Record<string, string>> = { none: '', gzip: '.gz', zstd: '.zst', snappy: '.snappy' }

/** What the configuration says of names. */
export function namingOf(config: AivenSinkConfig, now: () => number): Naming {
  const ending = `${config['format.output.type'] === 'avro' ? '.avro' : ''}${ENDINGS[config['file.compression.type']] ?? ''}`
  const prefix = config['aws.s3.prefix']
  const template =
    prefix === null
      ? fileNameTemplate(config['file.name.template'] ?? `${DEFAULT}${ending}`)
      : fileNameTemplate(`${prefix}${OLD_DEFAULT}${ending}`, ['utc_date', 'local_date'])
  const context: NameContext = {
    zone: zoneOffset(config['file.name.timestamp.timezone']),
    byEvent: config['file.name.timestamp.source'] === 'event',
    now,
  }
  return {
    grouping: prefix === null ? groupingOf(template) : 'partition',
    nameOf: (record, startOffset) => fileName(template, record, startOffset, context),
  }
}
