import { stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import {
  ConnectError,
  defineSourceConnector,
  FINISHED,
  type PollResult,
  schemas,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import { fileSourceConfig } from './config.ts'
import { LineSplitter } from './line-splitter.ts'
import { StandardInput } from './standard-input.ts'
import { TailedFile } from './tailed-file.ts'

const CHUNK_BYTES = 512 * 1024
/** A longer line is taken for a file that is no text; it would have to fit into memory and into a message. */
const MAX_LINE_BYTES = 64 * 1024 * 1024
/** How often a file at its end is looked at. */
const IDLE_MS = 100

const NO_HEADERS = Object.freeze([])

interface Options {
  readonly topic: string
  readonly batchSize: number
}

class FileSourceTask implements SourceTask {
  readonly #options: Options
  readonly #file: TailedFile
  readonly #context: SourceTaskContext
  readonly #partition: { readonly filename: string }
  #lines = new LineSplitter(0)
  #told = false

  constructor(path: string, options: Options, context: SourceTaskContext) {
    this.#options = options
    this.#file = new TailedFile(path)
    this.#context = context
    this.#partition = { filename: path }
  }

  async start(): Promise<void> {
    const offset = await this.#context.offsets.offset(this.#partition)
    const position = offset?.['position'] ?? 0
    if ((typeof position !== 'number' && typeof position !== 'bigint') || position < 0) {
      throw new ConnectError(
        `The stored offset of ${this.#file.path} is not a position in a file: reset the connector's offsets`,
      )
    }
    this.#lines = new LineSplitter(Number(position))
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    const ready = takeRecords(this.#lines, this.#options, this.#partition)
    if (ready.length > 0) return ready
    const space = this.#lines.space(Math.max(CHUNK_BYTES, this.#lines.pendingBytes))
    const result = await this.#file.read(this.#lines.end, space)
    if (typeof result === 'number') {
      this.#lines.filled(result)
      this.#checkLineLength()
      return takeRecords(this.#lines, this.#options, this.#partition)
    }
    if (result === 'replaced') this.#startOver()
    if (result === 'missing' && !this.#told) {
      this.#told = true
      this.#context.logger.warn({ file: this.#file.path }, 'the file does not exist, waiting for it to be created')
    }
    if (result !== 'replaced') await delay(IDLE_MS, undefined, { signal }).catch(() => undefined)
    return null
  }

  async stop(): Promise<void> {
    await this.#file.close()
  }

  /** As `tail -F`: a file that was cut or replaced is read from its start; what was read before is not read again. */
  #startOver(): void {
    const lost = this.#lines.pendingBytes
    this.#context.logger.warn(
      { file: this.#file.path, position: this.#lines.end, unfinishedLineBytes: lost },
      'the file was truncated or replaced, reading it from the start',
    )
    this.#lines = new LineSplitter(0)
  }

  #checkLineLength(): void {
    if (this.#lines.pendingBytes <= MAX_LINE_BYTES + CHUNK_BYTES) return
    throw new ConnectError(
      `The line at position ${this.#lines.position} of ${this.#file.path} is longer than ${MAX_LINE_BYTES} bytes: ` +
        'the file does not look like text with lines',
    )
  }
}

/** Reads lines of the standard input; the task is finished when it ends. */
class StandardInputTask implements SourceTask {
  readonly #options: Options
  readonly #input = new StandardInput()
  readonly #lines = new LineSplitter(0)

  constructor(options: Options) {
    this.#options = options
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    const ready = takeRecords(this.#lines, this.#options, { filename: null })
    if (ready.length > 0) return ready
    const chunk = await this.#input.read(signal)
    if (chunk === 'ended') return FINISHED
    if (chunk === null) return null
    this.#lines.space(chunk.length).set(chunk)
    this.#lines.filled(chunk.length)
    return takeRecords(this.#lines, this.#options, { filename: null })
  }

  stop(): void {
    this.#input.close()
  }
}

function takeRecords(
  lines: LineSplitter,
  options: Options,
  sourcePartition: SourceRecord['sourcePartition'],
): SourceRecord[] {
  const records: SourceRecord[] = []
  const timestamp = Date.now()
  const { topic } = options
  lines.take(options.batchSize, (value, position) => {
    records.push({
      topic,
      partition: null,
      key: null,
      keySchema: null,
      value,
      valueSchema: schemas.string,
      headers: NO_HEADERS,
      timestamp,
      sourcePartition,
      sourceOffset: { position },
    })
  })
  return records
}

/** Publishes the lines of a file, and goes on with what is appended to it. */
export default defineSourceConnector({
  name: 'FileStreamSource',
  version: '4.3.1',
  aliases: ['org.apache.kafka.connect.file.FileStreamSourceConnector', 'FileStreamSourceConnector'],
  config: fileSourceConfig,
  async validate({ file }) {
    const found = file === null ? undefined : await stat(file).catch(() => undefined)
    if (!found?.isDirectory()) return []
    return [{ key: 'file', message: `Invalid value ${file} for configuration file: It is a directory, name a file` }]
  },
  // A file is one stream, so there is never more than one task.
  taskConfigs: (_config, _maxTasks, raw) => [raw],
  createTask(config, context) {
    const options = { topic: config.topic, batchSize: config['batch.size'] }
    return config.file === null ? new StandardInputTask(options) : new FileSourceTask(config.file, options, context)
  },
})
