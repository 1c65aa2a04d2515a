import type { RedisLink } from '../_shared/redis/index.ts'
import type { StreamEntry } from './stream-record.ts'

export interface StreamConsumer {
  readonly stream: string
  readonly group: string
  readonly consumer: string
  /** False: what is read counts as done. */
  readonly acknowledges: boolean
}

/** The commands of one consumer of a group. */
export class StreamGroup {
  readonly #link: RedisLink
  readonly #o: StreamConsumer

  constructor(link: RedisLink, consumer: StreamConsumer) {
    this.#link = link
    this.#o = consumer
  }

  /** Creates the group, and the stream with it; false when it is there. */
  async create(offset: string): Promise<boolean> {
    try {
      await this.#link.call('XGROUP', 'CREATE', this.#o.stream, this.#o.group, offset, 'MKSTREAM')
      return true
    } catch (error) {
      if ((error as Error).message.startsWith('BUSYGROUP')) return false
      throw error
    }
  }

  /** Entries that no consumer has had; waits for some. */
  async read(count: number, blockMs: number): Promise<readonly StreamEntry[]> {
    const mode = this.#o.acknowledges ? [] : ['NOACK']
    return this.#entries('COUNT', String(count), 'BLOCK', String(blockMs), ...mode, 'STREAMS', this.#o.stream, '>')
  }

  /** Entries after an id that we were given and have not acknowledged. */
  pending(after: string, count: number): Promise<readonly StreamEntry[]> {
    return this.#entries('COUNT', String(count), 'STREAMS', this.#o.stream, after)
  }

  /** Takes over what others were given at least so long ago. Entries that were deleted Redis leaves out by itself. */
  async claim(
    cursor: string,
    idleMs: number,
    count: number,
  ): Promise<{ cursor: string; entries: readonly StreamEntry[] }> {
    const { stream, group, consumer } = this.#o
    const answer = await this.#link.callBuffer('XAUTOCLAIM', stream, group, consumer, idleMs, cursor, 'COUNT', count)
    const [next, entries] = answer as [Buffer, StreamEntry[]]
    return { cursor: next.toString(), entries: entries.filter(Array.isArray) }
  }

  async acknowledge(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#link.call('XACK', this.#o.stream, this.#o.group, ...ids)
  }

  async #entries(...rest: readonly string[]): Promise<readonly StreamEntry[]> {
    const { group, consumer } = this.#o
    const answer = await this.#link.callBuffer('XREADGROUP', 'GROUP', group, consumer, ...rest)
    return (answer as [Buffer, StreamEntry[]][] | null)?.[0]?.[1] ?? []
  }
}
