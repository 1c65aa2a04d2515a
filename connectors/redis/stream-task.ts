import {
  type PollResult,
  RetriableError,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import { pollError, RedisLink, redisSettings } from '../_shared/redis/index.ts'
import { EntryJson } from './entry-json.ts'
import { consumerName, type StreamSourceConfig } from './stream-source-config.ts'
import { StreamGroup } from './stream-group.ts'
import { type StreamEntry, StreamRecord, type StreamRecordOrigin } from './stream-record.ts'

const BACKOFF_MS = 500
/** Acknowledgements in one command. */
const ACKS_MAX = 1000

/**
 * Reads a stream as one consumer of a group. What Redis has given it and it has not acknowledged, Redis keeps for it; so
 * after a start, and after each lost connection, it asks for that first.
 */
export class RedisStreamTask implements SourceTask {
  readonly #config: StreamSourceConfig
  readonly #context: SourceTaskContext
  readonly #link: RedisLink
  readonly #group: StreamGroup
  readonly #origin: StreamRecordOrigin
  readonly #acknowledges: boolean
  /** Given to the runtime and not acknowledged in Redis yet: these are not given again. */
  readonly #open = new Set<string>()
  #acks: string[] = []
  /** Where the reading of our own pending entries stands; undefined when there are no more. */
  #pendingCursor: string | undefined
  /** A read that was sent before its poll came. */
  #ahead: Promise<readonly StreamEntry[]> | undefined
  #connection = 0
  #claimCursor = '0-0'
  #nextClaimMs = 0

  constructor(config: StreamSourceConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    this.#link = new RedisLink(redisSettings(config))
    const stream = config['redis.stream.name']
    const group = config['redis.stream.consumer.group']
    const task = Number(context.raw['task.id'] ?? context.taskId)
    const consumer = consumerName(config, task)
    this.#acknowledges = config['redis.stream.delivery'] === 'at-least-once'
    this.#group = new StreamGroup(this.#link, { stream, group, consumer, acknowledges: this.#acknowledges })
    this.#origin = {
      topic: config.topic.replaceAll('${stream}', stream),
      stream,
      sourcePartition: { stream, group, consumer },
      json: new EntryJson(stream),
    }
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    try {
      return await this.#poll(signal)
    } catch (error) {
      if (signal.aborted) return null
      // The group or the stream was deleted: it is made again, and goes on from what was committed.
      if (error instanceof Error && error.message.startsWith('NOGROUP')) {
        this.#connection = 0
        throw new RetriableError(error.message, { cause: error, retryAfterMs: BACKOFF_MS })
      }
      throw pollError(error)
    }
  }

  /** The record is in the log, or was left out on purpose: either way its entry is done. */
  commitRecord(record: SourceRecord): void {
    if (this.#acknowledges) this.#acks.push(record.sourceOffset['offset'] as string)
  }

  async commit(): Promise<void> {
    while (this.#acks.length > 0) await this.#acknowledge()
  }

  async stop(): Promise<void> {
    try {
      await this.commit()
    } catch (error) {
      this.#context.logger.warn(
        { reason: (error as Error).message, entries: this.#acks.length },
        'the last entries could not be acknowledged; they are read again',
      )
    }
    this.#link.close()
  }

  async #poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    await this.#link.client()
    if (this.#connection !== this.#link.opened) await this.#begin()
    if (this.#pendingCursor !== undefined) {
      const records = await this.#readPending(this.#pendingCursor)
      if (records.length > 0) return records
    }
    if (Date.now() >= this.#nextClaimMs) {
      const claimed = await this.#claim()
      if (claimed.length > 0) return claimed
    }
    if (signal.aborted) return []
    // The acknowledgement travels with the read: Redis has carried it out when the read is answered.
    const acknowledging = this.#acks.length > 0 ? this.#acknowledge() : undefined
    const reading = this.#ahead ?? this.#read()
    this.#ahead = undefined
    const [entries] = await Promise.all([reading, acknowledging])
    // There is more: Redis fetches it while these are on their way. What nobody takes stays pending, and is read again. Without
    // acknowledgements it would be lost.
    if (this.#acknowledges && entries.length === this.#config['batch.size']) {
      this.#ahead = this.#read()
      // The poll that takes it hears of an error.
      this.#ahead.catch(() => undefined)
    }
    return this.#recordsOf(entries)
  }

  #read(): Promise<readonly StreamEntry[]> {
    return this.#group.read(this.#config['batch.size'], this.#config['redis.stream.block'])
  }

  /** Each connection begins with what the last one may have been given without an answer. */
  async #begin(): Promise<void> {
    const opened = this.#link.opened
    this.#ahead = undefined
    if (await this.#group.create(await this.#firstOffset())) {
      this.#context.logger.info({ ...this.#origin.sourcePartition }, 'the consumer group was created')
    }
    this.#pendingCursor = this.#acknowledges ? '0-0' : undefined
    this.#nextClaimMs = 0
    this.#connection = opened
  }

  /**
   * Where a group that does not exist begins. One that was lost goes on from the least that its tasks have committed, so
   * that nothing is left out.
   */
  async #firstOffset(): Promise<string> {
    const first = this.#config['redis.stream.offset']
    const tasks = Number(this.#context.raw['task.count'] ?? 1)
    const partitions = Array.from({ length: tasks }, (_, task) => {
      return { ...this.#origin.sourcePartition, consumer: consumerName(this.#config, task) }
    })
    const committed = await this.#context.offsets.offsets(partitions)
    const ids = committed.map((offset) => offset?.['offset'])
    if (!ids.every((id) => typeof id === 'string')) return first
    return ids.reduce((least, id) => (compareIds(id, least) < 0 ? id : least))
  }

  async #readPending(cursor: string): Promise<readonly SourceRecord[]> {
    for (let at = cursor; ; ) {
      const entries = await this.#group.pending(at, this.#config['batch.size'])
      const last = entries.at(-1)?.[0].toString()
      if (last === undefined) {
        this.#pendingCursor = undefined
        return []
      }
      at = last
      this.#pendingCursor = last
      const records = this.#recordsOf(entries)
      if (records.length > 0) return records
    }
  }

  async #claim(): Promise<readonly SourceRecord[]> {
    const idleMs = this.#config['redis.stream.claim.idle.ms']
    if (idleMs === 0 || !this.#acknowledges) {
      this.#nextClaimMs = Number.POSITIVE_INFINITY
      return []
    }
    const { cursor, entries } = await this.#group.claim(this.#claimCursor, idleMs, this.#config['batch.size'])
    this.#claimCursor = cursor
    if (cursor === '0-0') this.#nextClaimMs = Date.now() + Math.max(idleMs / 4, BACKOFF_MS)
    const records = this.#recordsOf(entries)
    if (records.length > 0) {
      this.#context.logger.info({ entries: records.length }, 'took over entries that another consumer left')
    }
    return records
  }

  /** What is on its way already is not given again; what was deleted since is done. */
  #recordsOf(entries: readonly StreamEntry[]): SourceRecord[] {
    const nowMs = Date.now()
    const records: SourceRecord[] = []
    for (const [bytes, fields] of entries) {
      const id = bytes.toString('latin1')
      if (fields === null) {
        if (this.#acknowledges) this.#acks.push(id)
        continue
      }
      if (this.#acknowledges) {
        if (this.#open.has(id)) continue
        this.#open.add(id)
      }
      records.push(new StreamRecord(this.#origin, id, fields, nowMs))
    }
    return records
  }

  async #acknowledge(): Promise<void> {
    const ids = this.#acks.splice(0, ACKS_MAX)
    try {
      await this.#group.acknowledge(ids)
    } catch (error) {
      this.#acks = [...ids, ...this.#acks]
      throw error
    }
    for (const id of ids) this.#open.delete(id)
  }
}

/** Ids are two numbers; as text 9-0 would come after 10-0. */
function compareIds(a: string, b: string): number {
  const [aTime = '0', aPlace = '0'] = a.split('-')
  const [bTime = '0', bPlace = '0'] = b.split('-')
  return Number(BigInt(aTime) - BigInt(bTime)) || Number(BigInt(aPlace) - BigInt(bPlace))
}
