import { appendFileSync } from 'node:fs'
import { DataError, defineConfig, defineSinkConnector, RetriableError, type SinkRecord } from '@millrace/sdk'
import { readLines } from './lines.ts'

const config = defineConfig({
  file: { type: 'string', nonEmpty: true, importance: 'high', doc: 'The file to write', example: '/tmp/lines' },
})

/** Appends a line for each record that is not there yet. A file named `away` beside the target makes it unreachable. */
export default defineSinkConnector({
  name: 'LinesSink',
  version: '1.0.0',
  config,
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => raw),
  createTask({ file }, { errantRecordReporter }) {
    const lineOf = ({ originalPartition, originalOffset, value }: SinkRecord): string => {
      if (value !== null && typeof value !== 'object') throw new DataError('only structs can be written')
      return `${originalPartition}-${originalOffset} ${JSON.stringify(value)}`
    }
    return {
      async put(records) {
        if (readLines(`${file}.away`).length > 0) throw new RetriableError('the file is away', { retryAfterMs: 5 })
        const there = new Set(readLines(file))
        for (const record of records) {
          try {
            const line = lineOf(record)
            if (!there.has(line)) appendFileSync(file, `${line}\n`)
          } catch (error) {
            if (!errantRecordReporter || !(error instanceof DataError)) throw error
            await errantRecordReporter.report(record, error)
          }
        }
      },
    }
  },
})
