import { seededRandom, silentLogger } from '../../../src/base/index.ts'
import {
  CacheBudget,
  CommitSyncer,
  DEFAULT_LOG_CONFIG,
  Log,
  type LogConfig,
  type LogOptions,
} from '../../../src/log/index.ts'
import { BatchBuilder, type BatchOptions } from '../../../src/record/index.ts'
import { SimClock } from '../../simulation/sim-clock.ts'
import { SimDisk } from '../../simulation/sim-disk.ts'

export const DIRECTORY = '/data/topic-0'
const NO_FAULTS = { shortRead: 0, writeError: 0, syncError: 0, lostSectors: 1, tornSectors: false }

/** Virtual disk and clock for one log that is opened again and again. */
export class LogBench {
  readonly clock = new SimClock()
  readonly disk = new SimDisk(seededRandom(3), this.clock, { ...NO_FAULTS })
  cacheBytes = 1_000_000
  producerExpirationMs = 86_400_000
  /** Moves of the log start that were to be written down. */
  startsMoved = 0

  constructor() {
    this.disk.mkdir(DIRECTORY)
  }

  open(config: Partial<LogConfig> = {}, options: Partial<LogOptions> = {}): Log {
    return Log.open(
      { topic: 'topic', partition: 0, directory: DIRECTORY, config: { ...DEFAULT_LOG_CONFIG, ...config }, ...options },
      {
        disk: this.disk,
        clock: this.clock,
        random: seededRandom(5),
        logger: silentLogger,
        syncer: new CommitSyncer(),
        cacheBudget: new CacheBudget(this.cacheBytes),
        producerExpirationMs: this.producerExpirationMs,
        onLogStartMoved: () => {
          this.startsMoved++
        },
      },
    )
  }

  async close(log: Log): Promise<void> {
    await this.clock.settle(log.close())
  }

  /** Names in the log's directory, sorted. */
  files(): string[] {
    return this.disk.list(DIRECTORY).sort()
  }
}

/** One batch with a record for each value. */
export function batchOf(
  values: readonly (string | null)[],
  options: BatchOptions & { timestamp?: number; key?: string } = {},
): Buffer {
  const builder = new BatchBuilder(256)
  const key = options.key === undefined ? null : Buffer.from(options.key)
  for (const [i, value] of values.entries()) {
    builder.append((options.timestamp ?? 1_700_000_000_000) + i, key, value === null ? null : Buffer.from(value))
  }
  return builder.build(options)
}

/** Appends and returns the base offset; throws when the log refuses. */
export function append(log: Log, batch: Buffer, leaderEpoch: number = 0): number {
  const result = log.append(batch, { leaderEpoch })
  if (result.error) throw new Error(`${result.error}: ${result.message}`)
  return result.baseOffset
}
