import type { BatchLimits } from '../sink-batcher/index.ts'
import type { Backoff } from '../retry/index.ts'

const MAX_BACKOFF_MS = 5000
/** One batch is on its way, one is ready, and one is filled. */
const BATCHES_WAITING = 3

export interface RedisSinkLimitsConfig {
  readonly 'batch.size': number
  readonly 'linger.ms': number
  readonly 'max.retries': number
  readonly 'retry.backoff.ms': number
}

/** What bounds the batches of a sink into Redis. */
export function redisSinkLimits(config: RedisSinkLimitsConfig): Partial<BatchLimits> & { readonly retry: Backoff } {
  return {
    batchRecords: config['batch.size'],
    lingerMs: config['linger.ms'],
    // What waits long is moved about by the garbage collector, which costs more than waiting gains.
    bufferRecords: config['batch.size'] * BATCHES_WAITING,
    // One at a time: everything then has the order of the topic, whatever its place in Redis.
    maxInFlight: 1,
    retry: {
      maxRetries: config['max.retries'],
      backoffMs: config['retry.backoff.ms'],
      maxBackoffMs: MAX_BACKOFF_MS,
    },
  }
}
