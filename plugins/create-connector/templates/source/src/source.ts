import { setTimeout as delay } from 'node:timers/promises'
import {
  defineSourceConnector,
  type Parsed,
  type PollResult,
  schemas,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import { config } from './config.ts'
import { type Line, readLines } from './lines.ts'

/** Reads its files in turn. Where it is in each of them is the source offset of the last record. */
class StarlingSourceTask implements SourceTask {
  readonly #config: Parsed<typeof config>
  readonly #context: SourceTaskContext
  /** The next byte of each file. */
  readonly #positions = new Map<string, number>()
  #turn = 0

  constructor(settings: Parsed<typeof config>, context: SourceTaskContext) {
    this.#config = settings
    this.#context = context
  }

  /** Goes on behind what is in the log. */
  async start(): Promise<void> {
    const { files } = this.#config
    const offsets = await this.#context.offsets.offsets(files.map((file) => ({ file })))
    files.forEach((file, index) => this.#positions.set(file, Number(offsets[index]?.['position'] ?? 0)))
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    const { files } = this.#config
    for (const _ of files) {
      const file = files[this.#turn++ % files.length] ?? ''
      const lines = await readLines(file, this.#positions.get(file) ?? 0, this.#config['batch.size'])
      const last = lines.at(-1)
      if (last === undefined) continue
      this.#positions.set(file, last.end)
      return lines.map((line) => this.#record(file, line))
    }
    // Aborts when the task stops: a poll must not keep it waiting.
    await delay(this.#config['poll.interval.ms'], undefined, { signal }).catch(() => undefined)
    return null
  }

  #record(file: string, { text, end }: Line): SourceRecord {
    return {
      topic: this.#config.topic,
      // The partition follows from the key.
      partition: null,
      key: file,
      keySchema: schemas.string,
      value: text,
      valueSchema: schemas.string,
      headers: [],
      timestamp: null,
      // The runtime stores the offset under the partition once the record is acknowledged, and `start` reads it.
      sourcePartition: { file },
      sourceOffset: { position: end },
    }
  }
}

export default defineSourceConnector({
  name: 'StarlingSource',
  version: '0.1.0',
  config,
  /** Divides the files evenly. A task gets a whole configuration, with the files that are its own. */
  taskConfigs({ files }, maxTasks, raw) {
    const groups = Array.from({ length: Math.min(maxTasks, files.length) }, (): string[] => [])
    files.forEach((file, index) => groups[index % groups.length]?.push(file))
    return groups.map((group) => ({ ...raw, files: group.join(',') }))
  },
  createTask: (settings, context) => new StarlingSourceTask(settings, context),
})
