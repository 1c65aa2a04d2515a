import { type Assignor, compareSubscribers, compareText, emptyAssignment } from './assignor.ts'

/** Kafka's RangeAssignor: per topic, consecutive partitions; the first members get one more when they do not divide. */
export const rangeAssignor: Assignor = {
  name: 'range',
  protocol: 'eager',
  userData: () => null,
  assign(subscribers, partitionCounts) {
    const assignment = emptyAssignment(subscribers)
    const topics = [...new Set(subscribers.flatMap((subscriber) => subscriber.topics))].toSorted(compareText)
    for (const topic of topics) {
      const members = subscribers.filter((subscriber) => subscriber.topics.includes(topic)).toSorted(compareSubscribers)
      const count = partitionCounts.get(topic) ?? 0
      const each = Math.floor(count / members.length)
      const extra = count % members.length
      let next = 0
      members.forEach(({ memberId }, index) => {
        const end = next + each + (index < extra ? 1 : 0)
        for (; next < end; next++) assignment.get(memberId)?.push({ topic, partition: next })
      })
    }
    return assignment
  },
}
