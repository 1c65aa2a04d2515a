import {
  isRetriable,
  type KafkaAdmin,
  type KafkaRecord,
  type PollResult,
  schemas,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import { pause } from '../_shared/retry/index.ts'
import type { CheckpointConfig } from './checkpoint-config.ts'
import { type CheckpointOptions, Checkpoints } from './checkpoints.ts'
import { type MirrorClients, mirrorClients, type Side } from './clients.ts'
import { offsetSyncsTopic, policyOf } from './common-config.ts'
import { commitCheckpoints } from './group-offsets.ts'
import { readGroups, topicFilter } from './groups.ts'
import { SyncHistory } from './sync-history.ts'
import { TopicTail } from './topic-tail.ts'
import { type Checkpoint, decodeCheckpoint, decodeOffsetSync, encodeCheckpoint, WireError } from './wire.ts'

const WAIT_MS_MAX = 60_000

/** Translates the offsets of some consumer groups, again and again. */
export class MirrorCheckpointTask implements SourceTask {
  readonly #config: CheckpointConfig
  readonly #context: SourceTaskContext
  readonly #clients: MirrorClients
  readonly #groups: readonly string[]
  readonly #source: KafkaAdmin
  readonly #target: KafkaAdmin
  readonly #checkpoints = new Checkpoints()
  readonly #options: CheckpointOptions
  readonly #histories = new Map<string, SyncHistory>()
  /** Undefined until the topic of offset syncs is there. */
  #syncs: TopicTail | undefined
  #hasEarlierCheckpoints: boolean | undefined
  /** Whether the topic of offset syncs was read to its end once; before that nothing is translated. */
  #knowsSyncs = false
  #emitAtMs = 0
  #commitAtMs: number

  constructor(config: CheckpointConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    this.#clients = mirrorClients(config, context.raw, context)
    this.#groups = readGroups(context.raw['task.assigned.groups'] ?? '')
    this.#source = this.#clients.admin('source', 'checkpoint-source-admin')
    this.#target = this.#clients.admin('target', 'checkpoint-target-admin')
    const commits = config['sync.group.offsets.enabled'] && config['sync.group.offsets.interval.seconds'] >= 0
    this.#commitAtMs = commits ? 0 : Number.POSITIVE_INFINITY
    this.#options = {
      policy: policyOf(config),
      source: config['source.cluster.alias'],
      target: config['target.cluster.alias'],
      isSelected: topicFilter(config),
      translate: (topic, partition, offset) => this.#histories.get(`${partition} ${topic}`)?.translate(offset),
    }
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    const waitMs = Math.min(this.#emitAtMs, this.#commitAtMs) - Date.now()
    await pause(Math.min(Math.max(waitMs, 0), WAIT_MS_MAX), signal)
    if (signal.aborted) return null
    if (this.#hasEarlierCheckpoints === undefined) {
      const loaded = await this.#loadCheckpoints(signal)
      if (signal.aborted) return null
      this.#hasEarlierCheckpoints = loaded
    }
    const records: SourceRecord[] = []
    if (Date.now() >= this.#emitAtMs) {
      this.#emitAtMs = Date.now() + this.#config['emit.checkpoints.interval.seconds'] * 1000
      if (await this.#readSyncs(signal)) {
        await this.#eachGroup('offsets could not be translated', async (group) =>
          records.push(...(await this.#news(group))),
        )
      }
    }
    if (Date.now() >= this.#commitAtMs) {
      this.#commitAtMs = Date.now() + this.#config['sync.group.offsets.interval.seconds'] * 1000
      const { logger } = this.#context
      await this.#eachGroup('offsets could not be committed', (group) =>
        commitCheckpoints(this.#target, group, this.#checkpoints.of(group), logger),
      )
    }
    return records
  }

  async stop(): Promise<void> {
    await Promise.all([this.#source.close(), this.#target.close(), this.#syncs?.close()])
  }

  /** A group that fails must not keep the others waiting; it has its turn again after the interval. */
  async #eachGroup(failure: string, work: (group: string) => Promise<unknown>): Promise<void> {
    for (const group of this.#groups) {
      try {
        await work(group)
      } catch (error) {
        this.#context.logger.warn({ group, err: error }, `${failure}; trying again after the interval`)
      }
    }
  }

  async #news(group: string): Promise<readonly SourceRecord[]> {
    const news = this.#checkpoints.news(group, await this.#source.groupOffsets(group), this.#options)
    for (const checkpoint of news) this.#checkpoints.put(checkpoint)
    return news.map((checkpoint) => this.#record(checkpoint))
  }

  #record(checkpoint: Checkpoint): SourceRecord {
    const { group, topic, partition } = checkpoint
    const { key, value } = encodeCheckpoint(checkpoint)
    return {
      // As MirrorMaker writes it; nothing is read from it.
      sourcePartition: { partition, topic, group },
      sourceOffset: { offset: 0 },
      topic: this.#checkpointsTopic,
      partition: 0,
      key,
      keySchema: schemas.bytes,
      value,
      valueSchema: schemas.bytes,
      headers: [],
      timestamp: Date.now(),
    }
  }

  get #checkpointsTopic(): string {
    return policyOf(this.#config).checkpointsTopic(this.#config['source.cluster.alias'])
  }

  /**
   * Reads what was written for these groups before. Whoever knows that may translate by all syncs, and will not send a
   * group back behind what an earlier task said; without it only what is mirrored from now on can be translated.
   */
  async #loadCheckpoints(signal: AbortSignal): Promise<boolean> {
    const { logger } = this.#context
    if (!(await hasTopic(this.#target, this.#checkpointsTopic))) return true
    const tail = this.#tail('target', 'checkpoints-target-consumer', this.#checkpointsTopic)
    const groups = new Set(this.#groups)
    try {
      return await tail.readToEnd(({ key, value, offset }) => {
        const checkpoint = decoded(key, value, decodeCheckpoint)
        if (checkpoint === undefined)
          logger.warn({ offset }, 'a record of the topic of checkpoints is none; passing over it')
        else if (checkpoint !== null && groups.has(checkpoint.group)) this.#checkpoints.put(checkpoint)
      }, signal)
    } catch (error) {
      if (isRetriable(error)) throw error
      logger.warn({ err: error }, 'earlier checkpoints cannot be read; only what is mirrored from now on is translated')
      return false
    } finally {
      await tail.close()
    }
  }

  /** Brings the histories up to date; false when there is nothing to translate by. */
  async #readSyncs(signal: AbortSignal): Promise<boolean> {
    const topic = offsetSyncsTopic(this.#config)
    const side = this.#config['offset-syncs.topic.location']
    if (!this.#syncs) {
      if (!(await hasTopic(side === 'source' ? this.#source : this.#target, topic))) {
        this.#context.logger.info({ topic }, 'there is no topic of offset syncs yet: the mirror of topics makes it')
        return false
      }
      this.#syncs = this.#tail(side, `offset-syncs-${side}-consumer`, topic)
    }
    this.#knowsSyncs = (await this.#syncs.readToEnd((record) => this.#addSync(record), signal)) || this.#knowsSyncs
    return this.#knowsSyncs
  }

  #addSync({ key, value, offset }: KafkaRecord): void {
    const sync = decoded(key, value, decodeOffsetSync)
    if (sync === null) return
    if (sync === undefined) {
      this.#context.logger.warn({ offset }, 'a record of the topic of offset syncs is none; passing over it')
      return
    }
    const name = `${sync.partition} ${sync.topic}`
    const history = this.#histories.get(name) ?? new SyncHistory()
    this.#histories.set(name, history)
    if (this.#knowsSyncs || this.#hasEarlierCheckpoints) history.add(sync)
    else history.restart(sync)
  }

  #tail(side: Side, role: string, topic: string): TopicTail {
    return new TopicTail(this.#clients.consumer(side, role), topic, this.#config['consumer.poll.timeout.ms'])
  }
}

async function hasTopic(admin: KafkaAdmin, topic: string): Promise<boolean> {
  return (await admin.topics()).some(({ name }) => name === topic)
}

/** Null for a record that was deleted, undefined for bytes that are something else. */
function decoded<T>(
  key: Uint8Array | null,
  value: Uint8Array | null,
  decode: (key: Uint8Array, value: Uint8Array) => T,
): T | null | undefined {
  if (value === null) return null
  try {
    return decode(key ?? new Uint8Array(), value)
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
