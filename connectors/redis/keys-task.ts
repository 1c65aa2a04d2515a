import {
  FINISHED,
  type PollResult,
  schemas,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import { connectRedis, pollError, type RedisClient, RedisLink, redisSettings } from '../_shared/redis/index.ts'
import { keySchema, readKeys } from './key-reader.ts'
import type { KeysSourceConfig } from './keys-source-config.ts'

const WAIT_MS = 100
/** More changed keys than this are not kept: Redis would tell of them again only when they change again. */
const WAITING_MAX = 100_000

const NO_HEADERS = Object.freeze([])

/** Reads keys when Redis tells that they changed. Redis tells it once and to whoever listens, so this loses by nature. */
export class RedisKeysTask implements SourceTask {
  readonly #config: KeysSourceConfig
  readonly #context: SourceTaskContext
  readonly #database: number
  readonly #link: RedisLink
  readonly #changed = new Set<string>()
  #subscriber: RedisClient | undefined
  /** Where the snapshot stands; undefined when it is done. */
  #cursor: string | undefined
  #hasListened = false
  #lost = 0
  #wake: (() => void) | undefined
  #lastNewsMs = Date.now()
  #isStopped = false

  constructor(config: KeysSourceConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    const settings = redisSettings(config)
    this.#database = settings.database
    this.#link = new RedisLink(settings)
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    try {
      await this.#subscribe()
      if (this.#changed.size === 0) await this.#scan()
      if (this.#changed.size === 0) await this.#wait(signal)
      if (this.#changed.size === 0) return this.#isIdle() ? FINISHED : null
      return await this.#read()
    } catch (error) {
      if (signal.aborted) return null
      throw pollError(error)
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#subscriber?.disconnect()
    this.#link.close()
    this.#wake?.()
  }

  async #subscribe(): Promise<void> {
    if (this.#subscriber !== undefined) return
    const client = await connectRedis(redisSettings(this.#config))
    if (this.#isStopped) {
      client.disconnect()
      return
    }
    client.on('end', () => {
      if (this.#subscriber === client) this.#subscriber = undefined
    })
    const prefix = `__keyspace@${this.#database}__:`
    client.on('pmessage', (_pattern: string, channel: string) => this.#noteChange(channel.slice(prefix.length)))
    await client.psubscribe(`${prefix}${this.#config['redis.keys.pattern']}`)
    this.#subscriber = client
    if (this.#config.mode.toUpperCase() === 'LIVE') this.#cursor = '0'
    else if (this.#hasListened) {
      this.#context.logger.warn({}, 'the connection was lost; changes since then are lost with mode=LIVEONLY')
    }
    this.#hasListened = true
  }

  #noteChange(key: string): void {
    this.#lastNewsMs = Date.now()
    if (this.#changed.size >= WAITING_MAX && !this.#changed.has(key)) {
      if (this.#lost++ === 0)
        this.#context.logger.warn({ waiting: WAITING_MAX }, 'keys change faster than they are read; changes are lost')
      return
    }
    this.#changed.add(key)
    this.#wake?.()
  }

  /** One step of the snapshot. */
  async #scan(): Promise<void> {
    const cursor = this.#cursor
    if (cursor === undefined) return
    const count = this.#config['batch.size']
    const answer = await this.#link.call('SCAN', cursor, 'MATCH', this.#config['redis.keys.pattern'], 'COUNT', count)
    const [next, keys] = answer as [string, string[]]
    this.#cursor = next === '0' ? undefined : next
    for (const key of keys) this.#changed.add(key)
    this.#lastNewsMs = Date.now()
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#cursor !== undefined) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(done, WAIT_MS)
      this.#wake = done
      signal.addEventListener('abort', done, { once: true })
    })
  }

  #isIdle(): boolean {
    const timeoutMs = this.#config['redis.keys.timeout']
    return timeoutMs > 0 && this.#cursor === undefined && Date.now() - this.#lastNewsMs >= timeoutMs
  }

  async #read(): Promise<readonly SourceRecord[]> {
    const keys: string[] = []
    for (const key of this.#changed) {
      keys.push(key)
      if (keys.length === this.#config['batch.size']) break
    }
    // From here on a further change counts as one; when the reading fails, the keys wait again.
    for (const key of keys) this.#changed.delete(key)
    let values: Awaited<ReturnType<typeof readKeys>>
    try {
      values = await readKeys(this.#link, keys)
    } catch (error) {
      for (const key of keys) this.#changed.add(key)
      throw error
    }
    const timestamp = Date.now()
    return values.map((value, index) => ({
      topic: this.#config.topic,
      partition: null,
      key: keys[index],
      keySchema: schemas.string,
      value,
      valueSchema: keySchema,
      headers: NO_HEADERS,
      timestamp,
      sourcePartition: { pattern: this.#config['redis.keys.pattern'], database: this.#database },
      sourceOffset: { readMs: timestamp },
    }))
  }
}
