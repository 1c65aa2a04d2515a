import { type Assignor, compareSubscribers, emptyAssignment, wantedPartitions } from './assignor.ts'

/** Kafka's RoundRobinAssignor: all partitions in order, dealt out in turn to the members that subscribe to them. */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  protocol: 'eager',
  userData: () => null,
  assign(subscribers, partitionCounts) {
    const assignment = emptyAssignment(subscribers)
    const members = subscribers.toSorted(compareSubscribers)
    let turn = 0
    for (const partition of wantedPartitions(subscribers, partitionCounts)) {
      while (!members[turn % members.length]?.topics.includes(partition.topic)) turn++
      const member = members[turn % members.length]
      if (member) assignment.get(member.memberId)?.push(partition)
      turn++
    }
    return assignment
  },
}
