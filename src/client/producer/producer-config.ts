import type { Codec, CompressionLevels } from '../../record/index.ts'
import { configError } from '../client-config.ts'
import type { ProducerBatch } from './producer-batch.ts'

export interface ProducerOptions {
  /** 0, 1 or -1 ("all"). Default -1. */
  readonly acks?: 0 | 1 | -1 | 'all'
  readonly batchSize?: number
  readonly lingerMs?: number
  readonly bufferMemory?: number
  readonly compressionType?: Codec
  readonly compressionLevels?: CompressionLevels
  readonly deliveryTimeoutMs?: number
  readonly maxBlockMs?: number
  readonly maxInFlightRequestsPerConnection?: number
  readonly maxRequestSize?: number
  /** Default: true when acks is all. */
  readonly enableIdempotence?: boolean
  /** Called for every batch that is done, in the order in which they are done. Must not throw. */
  readonly onBatchDone?: (batch: ProducerBatch) => void
}

export interface ProducerConfig {
  readonly acks: 0 | 1 | -1
  readonly batchSize: number
  readonly lingerMs: number
  readonly bufferMemory: number
  readonly compressionType: Codec
  readonly compressionLevels: CompressionLevels
  readonly deliveryTimeoutMs: number
  readonly maxBlockMs: number
  readonly maxInFlight: number
  readonly maxRequestSize: number
  readonly idempotent: boolean
  readonly onBatchDone: ((batch: ProducerBatch) => void) | undefined
}

const MAX_IN_FLIGHT_IDEMPOTENT = 5

/** Fills in Kafka's defaults and refuses what Kafka's producer refuses. */
export function resolveProducerConfig(options: ProducerOptions, requestTimeoutMs: number): ProducerConfig {
  const acks = options.acks === 'all' || options.acks === undefined ? -1 : options.acks
  const idempotent = options.enableIdempotence ?? acks === -1
  const maxRequestSize = options.maxRequestSize ?? 1_048_576
  const config: ProducerConfig = {
    acks,
    // A batch is never split, so it must fit into a request.
    batchSize: Math.min(options.batchSize ?? 16_384, maxRequestSize),
    lingerMs: options.lingerMs ?? 5,
    bufferMemory: options.bufferMemory ?? 32 * 1024 * 1024,
    compressionType: options.compressionType ?? 'none',
    compressionLevels: options.compressionLevels ?? {},
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    maxBlockMs: options.maxBlockMs ?? 60_000,
    maxInFlight: options.maxInFlightRequestsPerConnection ?? 5,
    maxRequestSize,
    idempotent,
    onBatchDone: options.onBatchDone,
  }
  if (![0, 1, -1].includes(acks)) throw configError('acks', acks, 'use 0, 1 or all')
  if (idempotent && acks !== -1) throw configError('acks', acks, 'must be all for the idempotent producer')
  if (config.maxInFlight < 1) {
    throw configError('max.in.flight.requests.per.connection', config.maxInFlight, 'must be at least 1')
  }
  if (idempotent && config.maxInFlight > MAX_IN_FLIGHT_IDEMPOTENT) {
    const reason = 'must be at most 5 to use the idempotent producer'
    throw configError('max.in.flight.requests.per.connection', config.maxInFlight, reason)
  }
  if (config.deliveryTimeoutMs < config.lingerMs + requestTimeoutMs) {
    const reason = 'should be equal to or larger than linger.ms + request.timeout.ms'
    throw configError('delivery.timeout.ms', config.deliveryTimeoutMs, reason)
  }
  return config
}
