import {
  type AvroCodecName,
  avroFormat,
  bytesFormat,
  csvFormat,
  jsonLinesFormat,
  type ParquetCodecName,
  parquetFormat,
  type WriteFormat,
} from '../_shared/formats/index.ts'
import { compressionOf } from './compression.ts'
import { Memory } from './memory.ts'
import type { FileLayout } from './open-file.ts'
import { formatOf, type SinkConfig } from './sink-config.ts'

/** Text with the escapes that a JSON config cannot carry well. */
function unescaped(text: string): string {
  return text.replaceAll('\\n', '\n').replaceAll('\\r', '\r').replaceAll('\\t', '\t')
}

/** The writer of a format class of the original. */
export function writeFormat(className: string, config: SinkConfig): WriteFormat {
  switch (formatOf(className)) {
    case 'AvroFormat':
      return avroFormat(config['avro.codec'] as AvroCodecName)
    case 'ParquetFormat':
      return parquetFormat(config['parquet.codec'] as ParquetCodecName)
    case 'ByteArrayFormat': {
      const separator = config['format.bytearray.separator']
      return bytesFormat(config['format.bytearray.extension'], separator === null ? '\n' : unescaped(separator))
    }
    case 'CsvFormat':
      return csvFormat({ separator: unescaped(config['csv.separator']), header: config['csv.header'] })
    default:
      return jsonLinesFormat({ numericDecimals: config['json.decimal.format'] === 'NUMERIC' })
  }
}

/** What the configuration says of the objects of a record. */
export function fileLayout(config: SinkConfig): FileLayout {
  return {
    format: writeFormat(config['format.class'], config),
    keys: config['store.kafka.keys'] ? writeFormat(config['keys.format.class'], config) : null,
    headers: config['store.kafka.headers'] ? writeFormat(config['headers.format.class'], config) : null,
    compression: compressionOf(config['s3.compression.type'], config['s3.compression.level']),
    memory: new Memory(config['s3.buffer.bytes']),
  }
}
