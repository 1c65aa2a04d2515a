import { arrayOf, mapOf, schemas, struct } from '@millrace/sdk'
import type { RedisLink } from '../_shared/redis/index.ts'

const text = schemas.optional.string

/** The value of a key: the field of its type is filled. */
export const keySchema = struct(
  {
    key: schemas.string,
    ttl: schemas.optional.int64,
    type: schemas.string,
    hash: mapOf(schemas.string, schemas.string, { optional: true }),
    string: text,
    json: text,
    list: arrayOf(schemas.string, { optional: true }),
    set: arrayOf(schemas.string, { optional: true }),
    // By member: two members may have one score.
    zset: mapOf(schemas.string, schemas.float64, { optional: true }),
  },
  { name: 'com.redis.kafka.connect.keys.Value' },
)

const EMPTY = { hash: null, string: null, json: null, list: null, set: null, zset: null }

/** What is in Redis under some keys now, in their order; a key that is gone has the type `none`. */
export async function readKeys(link: RedisLink, keys: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  return await Promise.all(keys.map((key) => readKey(link, key)))
}

/** A key may change between two commands; what does not fit its type any more is read again. */
async function readKey(link: RedisLink, key: string): Promise<Record<string, unknown>> {
  for (let attempt = 1; ; attempt++) {
    try {
      const [type, expiry] = (await Promise.all([link.call('TYPE', key), link.call('PTTL', key)])) as [string, number]
      const ttl = expiry < 0 ? -1n : BigInt(Date.now() + expiry)
      return { ...EMPTY, key, ttl, type, ...(await readValue(link, key, type)) }
    } catch (error) {
      const isOther = error instanceof Error && error.message.startsWith('WRONGTYPE')
      if (!isOther || attempt === 3) throw error
    }
  }
}

async function readValue(link: RedisLink, key: string, type: string): Promise<Record<string, unknown>> {
  switch (type) {
    case 'hash':
      return { hash: pairs((await link.call('HGETALL', key)) as string[], (value) => value) }
    case 'string':
      return { string: await link.call('GET', key) }
    case 'ReJSON-RL':
      return { type: 'json', json: await link.call('JSON.GET', key) }
    case 'list':
      return { list: await link.call('LRANGE', key, 0, -1) }
    case 'set':
      return { set: await link.call('SMEMBERS', key) }
    case 'zset':
      return { zset: pairs((await link.call('ZRANGE', key, 0, -1, 'WITHSCORES')) as string[], Number) }
    default:
      return {}
  }
}

function pairs<T>(flat: readonly string[], valueOf: (text: string) => T): Map<string, T> {
  const map = new Map<string, T>()
  for (let at = 0; at + 1 < flat.length; at += 2) map.set(flat[at] as string, valueOf(flat[at + 1] as string))
  return map
}
