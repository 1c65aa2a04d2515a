export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** What a group member said of itself when it joined. */
export interface Subscriber {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  /** What it holds as it says, and the generation it got that in (-1 when unknown). */
  readonly owned: readonly TopicPartition[]
  readonly generation: number
}

export type Assignment = Map<string, TopicPartition[]>

/** How partitions are divided among the members of a consumer group. Same input, same answer, on whichever member leads. */
export interface Assignor {
  readonly name: string
  /** `cooperative` members keep what they own during a rebalance; what moves is given in a second one. */
  readonly protocol: 'eager' | 'cooperative'
  /** Bytes to send along when joining. */
  userData(owned: readonly TopicPartition[], generation: number): Uint8Array | null
  /** Reads what another member sent along, when it says more than its subscription does. */
  readUserData?(userData: Buffer | null): Pick<Subscriber, 'owned' | 'generation'> | undefined
  assign(subscribers: readonly Subscriber[], partitionCounts: ReadonlyMap<string, number>): Assignment
}

/** Kafka's order of members: static ones first by their instance id, then by member id. */
export function compareSubscribers(a: Subscriber, b: Subscriber): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) return compareText(a.groupInstanceId, b.groupInstanceId)
  if (a.groupInstanceId !== null) return -1
  if (b.groupInstanceId !== null) return 1
  return compareText(a.memberId, b.memberId)
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export function emptyAssignment(subscribers: readonly Subscriber[]): Assignment {
  return new Map(subscribers.map(({ memberId }) => [memberId, []]))
}

/** Every partition of the topics that anybody wants, by topic name and number. */
export function wantedPartitions(
  subscribers: readonly Subscriber[],
  partitionCounts: ReadonlyMap<string, number>,
): TopicPartition[] {
  const topics = [...new Set(subscribers.flatMap((subscriber) => subscriber.topics))].toSorted(compareText)
  return topics.flatMap((topic) =>
    Array.from({ length: partitionCounts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })),
  )
}
