import type { OffsetReader, PluginLogger, SourceRecord } from '@millrace/sdk'
import { RedisLink, type RedisSettings } from '../_shared/redis/index.ts'
import { type QueueReader, queueRecord } from './reader.ts'
import type { BullmqSourceConfig } from './source-config.ts'

type Entry = readonly [id: string, fields: readonly string[]]

/** Reads the event stream of a queue from where it stopped. BullMQ trims the stream; what is trimmed unread is told. */
export class EventsReader implements QueueReader {
  readonly partition
  readonly #name: string
  readonly #topic: string
  readonly #key: string
  readonly #first: string
  readonly #offsets: OffsetReader
  readonly #link: RedisLink
  readonly #logger: PluginLogger
  #position: string | undefined

  constructor(
    name: string,
    config: BullmqSourceConfig,
    settings: RedisSettings,
    context: { readonly offsets: OffsetReader; readonly logger: PluginLogger },
  ) {
    this.#name = name
    this.#topic = config.topic.replaceAll('${queue}', name)
    this.#key = `${config.prefix}:${name}:events`
    this.#first = config['events.offset']
    this.#offsets = context.offsets
    this.#logger = context.logger
    this.#link = new RedisLink(settings)
    this.partition = { queue: `${config.prefix}:${name}` }
  }

  async read(count: number): Promise<readonly SourceRecord[]> {
    this.#position ??= await this.#start()
    const answer = await this.#link.call('XREAD', 'COUNT', count, 'STREAMS', this.#key, this.#position)
    const entries = (answer as [string, Entry[]][] | null)?.[0]?.[1] ?? []
    const last = entries.at(-1)
    if (last !== undefined) this.#position = last[0]
    return entries.map(([id, fields]) => this.#record(id, fields))
  }

  async close(): Promise<void> {
    this.#link.close()
  }

  async #start(): Promise<string> {
    const committed = (await this.#offsets.offset(this.partition))?.['id']
    if (typeof committed === 'string') {
      await this.#checkGap(committed)
      return committed
    }
    if (this.#first !== '$') return this.#first
    const newest = (await this.#link.call('XREVRANGE', this.#key, '+', '-', 'COUNT', 1)) as Entry[]
    return newest[0]?.[0] ?? '0-0'
  }

  /** When the event that was read last is gone, those behind it may be too. */
  async #checkGap(committed: string): Promise<void> {
    const same = (await this.#link.call('XRANGE', this.#key, committed, committed)) as Entry[]
    if (same.length > 0) return
    const oldest = ((await this.#link.call('XRANGE', this.#key, '-', '+', 'COUNT', 1)) as Entry[])[0]?.[0] ?? null
    this.#logger.warn(
      { queue: this.#name, committed, oldest },
      'events were trimmed while nobody read them, and some may be missing; raise streams.events.maxLen of the queue',
    )
  }

  #record(id: string, fields: readonly string[]): SourceRecord {
    const value: Record<string, string> = { id, queue: this.#name }
    for (let at = 0; at + 1 < fields.length; at += 2) value[fields[at] as string] = fields[at + 1] as string
    return queueRecord(this.#topic, this.partition, value['jobId'] ?? null, { ...value, id }, { id })
  }
}
