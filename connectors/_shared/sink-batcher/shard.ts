/** Which of `shards` lanes a key belongs to (FNV-1a). */
export function shardOf(key: string, shards: number): number {
  if (shards === 1) return 0
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  }
  // The low bits of a product depend on the low bits of the characters alone.
  return ((hash ^ (hash >>> 15)) >>> 0) % shards
}
