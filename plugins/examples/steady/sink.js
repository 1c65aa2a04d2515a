import { appendFile } from 'node:fs/promises'
import { defineConfig, defineSinkConnector, RetriableError } from '@millrace/sdk'

const config = defineConfig({
  file: { type: 'string', importance: 'high', doc: 'Takes one JSON line for each record.' },
  'retriable.failures': {
    type: 'int',
    default: 0,
    importance: 'low',
    doc: 'How often the first batch is refused with a RetriableError, to see it again.',
  },
  'errant.value': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'Records with this value are reported as bad.',
  },
})

/** Writes what it gets to a file, and what its hooks were called with. */
class CollectingSinkTask {
  #config
  #context
  #failuresLeft

  constructor(settings, context) {
    this.#config = settings
    this.#context = context
    this.#failuresLeft = settings['retriable.failures']
  }

  async open(partitions) {
    await this.#write(partitions.map(({ topic, partition }) => ({ hook: 'open', topic, partition })))
  }

  async put(records) {
    if (records.length === 0) return
    if (this.#failuresLeft > 0) {
      this.#failuresLeft--
      throw new RetriableError('not yet', { retryAfterMs: 10 })
    }
    const lines = []
    for (const { value, originalTopic, originalPartition, originalOffset, topic, timestampType } of records) {
      if (value === this.#config['errant.value']) {
        const record = records.find((other) => other.originalOffset === originalOffset)
        await this.#context.errantRecordReporter.report(record, new Error('this value is not wanted'))
        continue
      }
      const place = { topic, originalTopic, partition: originalPartition, offset: originalOffset }
      lines.push({ hook: 'put', value, ...place, timestampType })
    }
    await this.#write(lines)
  }

  async preCommit(offsets) {
    await this.#write(offsets.map(({ topic, partition, offset }) => ({ hook: 'preCommit', topic, partition, offset })))
    return offsets
  }

  async close(partitions) {
    await this.#write(partitions.map(({ topic, partition }) => ({ hook: 'close', topic, partition })))
  }

  #write(entries) {
    return appendFile(this.#config.file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  }
}

export default defineSinkConnector({
  name: 'CollectingSink',
  version: '1.2.0',
  config,
  taskConfigs: (_settings, maxTasks, raw) => Array.from({ length: maxTasks }, () => raw),
  createTask: (settings, context) => new CollectingSinkTask(settings, context),
})
