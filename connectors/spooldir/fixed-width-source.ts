import { type ConfigIssue, defineSourceConnector, type Parsed } from '@millrace/sdk'
import {
  type FixedWidthFormat,
  FixedWidthParser,
  type TableOptions,
  TablePlans,
  TableReader,
} from '../_shared/file-source/index.ts'
import { fixedWidthConfig } from './config.ts'
import { fixedWidthManifest } from './manifest.ts'
import {
  createFileTask,
  parserOptions,
  schemaProblems,
  schemaSettings,
  taskConfigs,
  timestampField,
  validateFiles,
} from './source.ts'

type FixedWidthConfig = Parsed<typeof fixedWidthConfig>

/** Publishes the rows of files whose columns have fixed widths. */
export default defineSourceConnector({
  name: fixedWidthManifest.name,
  version: fixedWidthManifest.version,
  aliases: fixedWidthManifest.aliases,
  config: fixedWidthConfig,
  validate: async (config, raw) => [
    ...schemaProblems(config),
    ...nameProblems(config),
    ...(await validateFiles(config, raw)),
  ],
  taskConfigs,
  createTask(config, context) {
    const format: FixedWidthFormat = {
      widths: widthsOf(config),
      padding: String.fromCharCode(config['fixed.padding.char']),
      emptyIsNull: config['fixed.empty.is.null'],
    }
    const names = config['fixed.field.names']
    const options: TableOptions = {
      cells: (window) => new FixedWidthParser(format, window),
      blankIsRow: false,
      cellsMayHaveLineEnds: false,
      charset: config['file.charset'],
      skipLines: config['fixed.skip.lines'],
      hasHeader: config['fixed.first.row.as.header'],
      names: names.length === 0 ? null : names,
      caseSensitive: true,
      schemas: schemaSettings(config),
      parser: parserOptions(config),
      timestampField: timestampField(config),
    }
    const plans = new TablePlans(options)
    return createFileTask(config, context, () => new TableReader(options, plans))
  },
})

const widthsOf = (config: FixedWidthConfig): number[] => config['fixed.field.lengths'].map(Number)

/** What is wrong with the number of names. */
function nameProblems(config: FixedWidthConfig): ConfigIssue[] {
  const { 'fixed.field.names': names, 'fixed.first.row.as.header': hasHeader } = config
  if (names.length === 0) return []
  const key = 'fixed.field.names'
  if (hasHeader) return [{ key, message: 'the header names the columns already; set one of the two' }]
  const widths = widthsOf(config).length
  if (names.length === widths) return []
  return [{ key, message: `there are ${names.length} names for the ${widths} columns of fixed.field.lengths` }]
}
