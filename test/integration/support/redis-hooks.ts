import { Queue } from 'bullmq'
import { afterEach, beforeEach } from 'vitest'
import { type RedisOptions, type RedisServer, startRedis } from '../../services/redis.ts'
import { useService } from './hooks.ts'

/** A Redis that is empty before each test. */
export function useRedis(options: RedisOptions = {}): () => RedisServer {
  const redis = useService(() => startRedis(options))
  beforeEach(async () => {
    await redis().client().flushall()
  })
  return redis
}

/** A queue of BullMQ, opened for each test. */
export function useQueue(name: string, redis: () => RedisServer): () => Queue {
  let queue: Queue
  beforeEach(() => {
    queue = new Queue(name, { connection: { host: redis().host, port: redis().port } })
    queue.on('error', () => undefined)
  })
  afterEach(async () => {
    await queue?.close()
  })
  return () => queue
}
