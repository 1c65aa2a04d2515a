export { type JsonEncode, jsonEncoder } from './json-text.ts'
export {
  bytesFormat,
  type CsvOptions,
  csvFormat,
  type JsonOptions,
  jsonLinesFormat,
} from './line-writers.ts'
export type { RecordWriter, WriteFormat } from './record-writer.ts'
