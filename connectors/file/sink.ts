import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import process from 'node:process'
import { ConnectError, defineSinkConnector, type SinkRecord, type SinkTask, valueToString } from '@millrace/sdk'
import { Appender } from './appender.ts'
import { fileSinkConfig } from './config.ts'

class FileSinkTask implements SinkTask {
  readonly #path: string
  #handle: FileHandle | undefined
  #appender: Appender | undefined
  #dirty = false

  constructor(path: string) {
    this.#path = path
  }

  async start(): Promise<void> {
    try {
      this.#handle = await open(this.#path, 'a+')
      await endTornLine(this.#handle)
      this.#appender = new Appender(this.#handle)
    } catch (error) {
      throw new ConnectError(`Cannot open ${this.#path} for writing: ${(error as Error).message}`, { cause: error })
    }
  }

  put(records: readonly SinkRecord[]): Promise<void> | void {
    if (records.length === 0) return
    const appender = this.#appender
    if (!appender) throw new ConnectError(`${this.#path} is not open`)
    this.#dirty = true
    for (const record of records) appender.add(lineOf(record))
    return appender.write()
  }

  /** Invariant 2: offsets are committed only after their lines are on the disk. */
  async preCommit<T>(offsets: T): Promise<T> {
    if (this.#dirty) {
      await this.#appender?.drained()
      await this.#handle?.datasync()
      this.#dirty = false
    }
    return offsets
  }

  async stop(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    // What failed was told before; what is not in the file is not committed either.
    await this.#appender?.drained().catch(() => undefined)
    await handle?.close()
  }
}

/** Writes to the standard output, as Kafka's sink does without a file. */
const standardOutputTask: SinkTask = {
  async put(records) {
    if (records.length === 0) return
    const text = records.map((record) => `${lineOf(record)}\n`).join('')
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
    })
  },
}

/** A crash may leave part of a line; what follows must not be glued to it. */
async function endTornLine(handle: FileHandle): Promise<void> {
  const { size } = await handle.stat()
  if (size === 0) return
  const last = Buffer.alloc(1)
  await handle.read(last, 0, 1, size - 1)
  if (last[0] !== 10) await handle.appendFile('\n')
}

function lineOf({ value, valueSchema }: SinkRecord): string {
  return typeof value === 'string' ? value : valueToString(valueSchema, value)
}

/** Appends the string form of each value to a file, one line a record. */
export default defineSinkConnector({
  name: 'FileStreamSink',
  version: '4.3.1',
  aliases: ['org.apache.kafka.connect.file.FileStreamSinkConnector', 'FileStreamSinkConnector'],
  config: fileSinkConfig,
  async validate({ file }) {
    if (file === null) return []
    const problem = (text: string) => [
      { key: 'file', message: `Invalid value ${file} for configuration file: ${text}` },
    ]
    const found = await stat(file).catch(() => undefined)
    if (found) return found.isDirectory() ? problem('It is a directory, name a file') : []
    const folder = await stat(dirname(file)).catch(() => undefined)
    return folder?.isDirectory() ? [] : problem(`The folder ${dirname(file)} does not exist, create it`)
  },
  // Kafka gives every task the same file; lines of several tasks may then mix, but each stays whole.
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => raw),
  createTask: ({ file }) => (file === null ? standardOutputTask : new FileSinkTask(file)),
})
