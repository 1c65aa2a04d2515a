import type { PollResult, SourceTask, SourceTaskContext } from '@millrace/sdk'
import type { MongoClient } from 'mongodb'
import { openClient } from './connection.ts'
import type { MongoSourceConfig } from './source-config.ts'
import type { SourceReader } from './source-reader.ts'

/** Reads a change stream. */
export class MongoSourceTask implements SourceTask {
  readonly #config: MongoSourceConfig
  readonly #context: SourceTaskContext
  #client: MongoClient | undefined
  #reader: SourceReader | undefined

  constructor(config: MongoSourceConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
  }

  async start(): Promise<void> {
    this.#client = await openClient(this.#config)
    const { SourceReader: Reader } = await import('./source-reader.ts')
    this.#reader = new Reader(this.#client, this.#config, this.#context)
    await this.#reader.start()
  }

  poll(signal: AbortSignal): Promise<PollResult> {
    return this.#reader!.poll(signal)
  }

  async stop(): Promise<void> {
    await this.#reader?.close()
    await this.#client?.close()
  }
}
