import { ProtocolError, Reader, Writer } from '../../../protocol/index.ts'
import {
  type Assignment,
  type Assignor,
  compareSubscribers,
  type Subscriber,
  type TopicPartition,
  wantedPartitions,
} from './assignor.ts'

const keyOf = ({ topic, partition }: TopicPartition): string => `${partition} ${topic}`

/** A member while partitions are dealt out. */
interface Hand {
  readonly subscriber: Subscriber
  readonly topics: ReadonlySet<string>
  readonly partitions: Map<string, TopicPartition>
}

/** Who may keep what: the newest generation's claims, where only one member makes them. */
function validClaims(
  hands: readonly Hand[],
  wanted: ReadonlyMap<string, TopicPartition>,
): Map<string, { hand: Hand; partition: TopicPartition }> {
  const newest = Math.max(...hands.map(({ subscriber }) => subscriber.generation))
  const claims = new Map<string, { hand: Hand; partition: TopicPartition }>()
  const disputed = new Set<string>()
  for (const hand of hands) {
    if (hand.subscriber.generation < newest) continue
    for (const claim of hand.subscriber.owned) {
      const key = keyOf(claim)
      const partition = wanted.get(key)
      if (!partition || !hand.topics.has(partition.topic)) continue
      if (claims.has(key)) disputed.add(key)
      claims.set(key, { hand, partition })
    }
  }
  for (const key of disputed) claims.delete(key)
  return claims
}

/** The member with the fewest partitions among those that want the topic; the first one in order when equal. */
function leastLoaded(hands: readonly Hand[], topic: string): Hand | undefined {
  let least: Hand | undefined
  for (const hand of hands) {
    if (hand.topics.has(topic) && (!least || hand.partitions.size < least.partitions.size)) least = hand
  }
  return least
}

/**
 * Balanced first, sticky second, as KIP-54: no member has two partitions more than another that could take one of
 * them, and a partition moves only when balance asks for it.
 */
export function assignSticky(
  subscribers: readonly Subscriber[],
  partitionCounts: ReadonlyMap<string, number>,
): Assignment {
  const hands = subscribers
    .toSorted(compareSubscribers)
    .map((subscriber): Hand => ({ subscriber, topics: new Set(subscriber.topics), partitions: new Map() }))
  const wanted = new Map(
    wantedPartitions(subscribers, partitionCounts).map((partition) => [keyOf(partition), partition]),
  )
  const claims = validClaims(hands, wanted)
  for (const [key, { hand, partition }] of claims) hand.partitions.set(key, partition)
  trim(hands, wanted.size)
  const held = new Set(hands.flatMap(({ partitions }) => [...partitions.keys()]))
  for (const [key, partition] of wanted) {
    if (!held.has(key)) leastLoaded(hands, partition.topic)?.partitions.set(key, partition)
  }
  balance(hands, wanted)
  return new Map(hands.map(({ subscriber, partitions }) => [subscriber.memberId, [...partitions.values()]]))
}

/** Where all members want the same topics, takes away at once what is above a fair share. */
function trim(hands: readonly Hand[], total: number): void {
  const first = hands[0]
  const sameTopics = hands.every(
    ({ topics }) => topics.size === first?.topics.size && [...topics].every((topic) => first.topics.has(topic)),
  )
  if (!sameTopics || hands.length === 0) return
  const least = Math.floor(total / hands.length)
  let larger = total % hands.length
  // Those who hold more keep the one partition that does not divide.
  for (const hand of hands.toSorted((a, b) => b.partitions.size - a.partitions.size)) {
    const share = hand.partitions.size > least && larger > 0 ? least + 1 : least
    if (share > least) larger--
    for (const key of [...hand.partitions.keys()].slice(share)) hand.partitions.delete(key)
  }
}

/** Moves single partitions to members that have at least two fewer, until there is none. */
function balance(hands: readonly Hand[], wanted: ReadonlyMap<string, TopicPartition>): void {
  for (let moved = true; moved; ) {
    moved = false
    for (const hand of hands.toSorted((a, b) => b.partitions.size - a.partitions.size)) {
      for (const key of [...hand.partitions.keys()].toReversed()) {
        const partition = wanted.get(key)!
        const target = leastLoaded(hands, partition.topic)
        if (!target || target.partitions.size + 1 >= hand.partitions.size) continue
        hand.partitions.delete(key)
        target.partitions.set(key, partition)
        moved = true
      }
    }
  }
}

const scratch = new Writer()

/** Kafka's StickyAssignorUserData: array of (topic, array of int32), int32 generation. */
function writeUserData(owned: readonly TopicPartition[], generation: number): Buffer {
  const byTopic = Map.groupBy(owned, ({ topic }) => topic)
  scratch.start(false)
  scratch.int32(byTopic.size)
  for (const [topic, partitions] of byTopic) {
    scratch.string(topic)
    scratch.int32(partitions.length)
    for (const { partition } of partitions) scratch.int32(partition)
  }
  scratch.int32(generation)
  return scratch.finish()
}

function readUserData(userData: Buffer | null): { owned: TopicPartition[]; generation: number } {
  const owned: TopicPartition[] = []
  if (!userData) return { owned, generation: -1 }
  try {
    const reader = new Reader(userData)
    for (let topics = reader.count(6); topics > 0; topics--) {
      const topic = reader.string()
      for (let partitions = reader.count(4); partitions > 0; partitions--) {
        owned.push({ topic, partition: reader.int32() })
      }
    }
    // Version 0 ends here; its members are as old as can be.
    return { owned, generation: reader.position < reader.end ? reader.int32() : -1 }
  } catch (error) {
    // Another client's private bytes: without them the member just is not sticky.
    if (error instanceof ProtocolError) return { owned: [], generation: -1 }
    throw error
  }
}

/** Kafka's StickyAssignor: everything is revoked before the rebalance, most of it comes back. */
export const stickyAssignor: Assignor = {
  name: 'sticky',
  protocol: 'eager',
  userData: writeUserData,
  readUserData,
  assign: assignSticky,
}

/** Kafka's CooperativeStickyAssignor: members keep what they own; a partition that moves is free for one rebalance. */
export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  protocol: 'cooperative',
  userData(_, generation) {
    scratch.start(false)
    scratch.int32(generation)
    return scratch.finish()
  },
  assign(subscribers, partitionCounts) {
    const target = assignSticky(subscribers, partitionCounts)
    const owners = new Map<string, string>()
    for (const { memberId, owned } of subscribers) for (const partition of owned) owners.set(keyOf(partition), memberId)
    for (const [memberId, partitions] of target) {
      const free = partitions.filter((partition) => (owners.get(keyOf(partition)) ?? memberId) === memberId)
      target.set(memberId, free)
    }
    return target
  },
}
