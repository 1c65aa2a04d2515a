/** Java's String.hashCode over UTF-16 units. */
export function javaHashCode(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

/** The partition of `__consumer_offsets` that keeps a group, as Kafka computes it. */
export function partitionForGroup(groupId: string, partitions: number): number {
  // Kafka's Utils.abs maps the one number without a positive counterpart to 0.
  const hash = javaHashCode(groupId)
  return (hash === -0x8000_0000 ? 0 : Math.abs(hash)) % partitions
}
