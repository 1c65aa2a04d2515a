import {
  type AvroCodecName,
  avroFormat,
  bytesFormat,
  csvFormat,
  jsonLinesFormat,
  type ParquetCodecName,
  parquetFormat,
  type WriteFormat,
} from '../formats/index.ts'
import { formatOf, type StorageConfig } from './config.ts'

/** Text with the escapes that a JSON config cannot carry well. */
function unescaped(text: string): string {
  return text.replaceAll('\\n', '\n').replaceAll('\\r', '\r').replaceAll('\\t', '\t')
}

/** The writer of a format class of the originals. */
export function writeFormat(className: string, config: StorageConfig): WriteFormat {
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
    case 'TsvFormat':
      return { ...csvFormat({ separator: '\t', header: config['csv.header'] }), extension: '.tsv' }
    default:
      return jsonLinesFormat({ numericDecimals: config['json.decimal.format'] === 'NUMERIC' })
  }
}
