import {
  DataError,
  defineSinkConnector,
  type Parsed,
  RetriableError,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  toBase64,
} from '@millrace/sdk'
import { config } from './config.ts'
import { Files } from './files.ts'

/** What may be over when the same batch comes again. */
const PASSING = new Set(['EAGAIN', 'EBUSY', 'EMFILE', 'ENFILE', 'ENOSPC', 'ETIMEDOUT'])

/** Writes the value of each record to the file of its key; a record without value removes it. */
class StarlingSinkTask implements SinkTask {
  readonly #files: Files
  readonly #context: SinkTaskContext

  constructor({ folder, extension }: Parsed<typeof config>, context: SinkTaskContext) {
    this.#files = new Files(folder, extension)
    this.#context = context
  }

  start(): Promise<void> {
    return this.#files.start()
  }

  /**
   * What has resolved is durable, so the offsets of these records may be committed. A batch that comes again, because its
   * offsets were not stored in time, leaves the same files.
   */
  async put(records: readonly SinkRecord[]): Promise<void> {
    // Records of a key are in order, and the last one counts.
    const last = new Map<string, string | null>()
    for (const record of records) {
      try {
        last.set(this.#nameOf(record), textOf(record.value))
      } catch (error) {
        await this.#refuse(record, error)
      }
    }
    try {
      for (const [name, text] of last) {
        if (text === null) await this.#files.remove(name)
        else await this.#files.write(name, text)
      }
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      if (PASSING.has(code)) throw new RetriableError(message, { cause: error })
      throw error
    }
  }

  #nameOf({ key }: SinkRecord): string {
    const name = typeof key === 'string' ? this.#files.nameOf(key) : undefined
    if (name === undefined) throw new DataError(`the key must be text of 1 to about 200 characters, not ${typeof key}`)
    return name
  }

  /** Only this record is at fault: it goes to the dead letter queue where there is one, the others are written. */
  async #refuse(record: SinkRecord, error: unknown): Promise<void> {
    const { errantRecordReporter } = this.#context
    if (errantRecordReporter === null || !(error instanceof Error)) throw error
    await errantRecordReporter.report(record, error)
  }
}

/** Text as it is, anything else as JSON; null removes. */
function textOf(value: unknown): string | null {
  if (value === null || typeof value === 'string') return value
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return part.toString()
    if (part instanceof Map) return Object.fromEntries(part as Map<string, unknown>)
    return part instanceof Uint8Array ? toBase64(part) : part
  })
}

export default defineSinkConnector({
  name: 'StarlingSink',
  version: '0.1.0',
  config,
  /** All tasks have the same configuration: the runtime divides the partitions among them. */
  taskConfigs: (_settings, maxTasks, raw) => Array.from({ length: maxTasks }, () => raw),
  createTask: (settings, context) => new StarlingSinkTask(settings, context),
})
