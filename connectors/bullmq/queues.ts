import type { Queue } from 'bullmq'
import { connectRedis, type RedisClient, type RedisSettings } from '../_shared/redis/index.ts'

/** The queues of a task over one connection; both are made anew after the connection was lost. */
export class Queues {
  readonly #settings: RedisSettings
  readonly #prefix: string
  readonly #onError: (error: Error) => void
  readonly #queues = new Map<string, Queue>()
  #client: RedisClient | undefined
  #isClosed = false

  constructor(settings: RedisSettings, prefix: string, onError: (error: Error) => void) {
    this.#settings = settings
    this.#prefix = prefix
    this.#onError = onError
  }

  /** Connects when there is no connection. */
  async open(): Promise<RedisClient> {
    if (this.#client !== undefined) return this.#client
    const client = await connectRedis(this.#settings, { maxRetriesPerRequest: null })
    client.on('end', () => {
      if (this.#client === client) this.drop()
    })
    if (this.#isClosed) client.disconnect()
    this.#client = client
    return client
  }

  async queue(name: string): Promise<Queue> {
    const client = await this.open()
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      const { Queue: BullQueue } = await import('bullmq')
      queue = new BullQueue(name, { connection: client, prefix: this.#prefix, skipMetasUpdate: true })
      queue.on('error', this.#onError)
      this.#queues.set(name, queue)
    }
    return queue
  }

  /** Lets a connection go of which nobody knows what it still does. */
  drop(): void {
    const client = this.#client
    this.#client = undefined
    for (const queue of this.#queues.values()) void queue.close().catch(() => undefined)
    this.#queues.clear()
    client?.disconnect()
  }

  close(): void {
    this.#isClosed = true
    this.drop()
  }
}
