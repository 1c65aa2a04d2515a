import type { Random } from '../base/index.ts'

const JITTER = 0.2

/** Exponential back-off with 20 % jitter, as Kafka's clients: `base * 2^(attempt - 1)`, at most `max`. Attempts count from 1. */
export function backoffMs(random: Random, base: number, max: number, attempt: number): number {
  const plain = Math.min(max, base * 2 ** Math.min(attempt - 1, 30))
  return plain * (1 - JITTER + 2 * JITTER * random.next())
}
