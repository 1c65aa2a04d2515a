import { defineSourceConnector, type Parsed } from '@millrace/sdk'
import {
  type CsvFormat,
  CsvParser,
  type ReaderFactory,
  type TableOptions,
  TablePlans,
  TableReader,
} from '../_shared/file-source/index.ts'
import { csvConfig } from './config.ts'
import { csvManifest } from './manifest.ts'
import {
  createFileTask,
  parserOptions,
  type SchemaConfig,
  schemaProblems,
  schemaSettings,
  taskConfigs,
  timestampField,
  validateFiles,
} from './source.ts'

/** What says how the rows of CSV files are read. */
export type CsvReaderConfig = SchemaConfig &
  Pick<Parsed<typeof csvConfig>, Extract<keyof typeof csvConfig, `csv.${string}`>>

/** Publishes the rows of CSV files. */
export default defineSourceConnector({
  name: csvManifest.name,
  version: csvManifest.version,
  aliases: csvManifest.aliases,
  config: csvConfig,
  validate: async (config, raw) => [...schemaProblems(config), ...(await validateFiles(config, raw))],
  taskConfigs,
  createTask: (config, context) => createFileTask(config, context, csvReaders(config)),
})

/** Readers of CSV files as a configuration describes them. */
export function csvReaders(config: CsvReaderConfig): ReaderFactory {
  const code = (key: 'csv.separator.char' | 'csv.quote.char' | 'csv.escape.char') => String.fromCharCode(config[key])
  const format: CsvFormat = {
    separator: code('csv.separator.char'),
    quote: code('csv.quote.char'),
    escape: config['csv.rfc.4180.parser.enabled'] ? null : code('csv.escape.char'),
    strictQuotes: config['csv.strict.quotes'],
    ignoreLeadingWhitespace: config['csv.ignore.leading.whitespace'],
    ignoreQuotations: config['csv.ignore.quotations'],
    keepCarriageReturn: config['csv.keep.carriage.return'],
    nullFieldIndicator: config['csv.null.field.indicator'],
  }
  const options: TableOptions = {
    cells: (window) => new CsvParser(format, window),
    blankIsRow: format.nullFieldIndicator === 'NEITHER',
    cellsMayHaveLineEnds: format.quote !== '"' || format.keepCarriageReturn,
    charset: config['csv.file.charset'],
    skipLines: config['csv.skip.lines'],
    hasHeader: config['csv.first.row.as.header'],
    names: null,
    caseSensitive: config['csv.case.sensitive.field.names'],
    schemas: schemaSettings(config),
    parser: parserOptions(config),
    timestampField: timestampField(config),
  }
  const plans = new TablePlans(options)
  return () => new TableReader(options, plans)
}
