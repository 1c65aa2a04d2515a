import type { Admin, GroupDescription, MemberDescription, TopicPartition } from '../client/index.ts'
import { ProtocolError, records } from '../protocol/index.ts'
import { table } from './kafka-tool.ts'

/** The partitions of a consumer's assignment; none for assignments of another kind. */
function assignedPartitions(member: MemberDescription): TopicPartition[] {
  if (member.assignment.length === 0) return []
  try {
    const { message } = records.consumerProtocolAssignment.decode(member.assignment)
    return message.assignedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    )
  } catch (error) {
    if (error instanceof ProtocolError) return []
    throw error
  }
}

/** `kafka-consumer-groups --describe`: committed offsets, ends and lag of every partition, and who reads it. */
export async function describedOffsets(admin: Admin, group: GroupDescription): Promise<string> {
  const committed = await admin.groups.offsets(group.groupId)
  const keyOf = ({ topic, partition }: TopicPartition) => `${topic} ${partition}`
  const offsets = new Map(committed.filter(({ offset }) => offset >= 0).map((entry) => [keyOf(entry), entry.offset]))
  const owners = new Map<string, MemberDescription>()
  const partitions = new Map<string, TopicPartition>(committed.map((entry) => [keyOf(entry), entry]))
  for (const member of group.members) {
    for (const assigned of assignedPartitions(member)) {
      owners.set(keyOf(assigned), member)
      partitions.set(keyOf(assigned), assigned)
    }
  }
  const sorted = [...partitions.values()].toSorted((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  )
  const ends = await admin.topics.listOffsets(
    sorted.map(({ topic, partition }) => ({ topic, partition, timestamp: -1 })),
  )
  const rows = sorted.map((entry, i) => {
    const offset = offsets.get(keyOf(entry))
    const end = ends[i]?.offset ?? -1
    const owner = owners.get(keyOf(entry))
    return [
      group.groupId,
      entry.topic,
      String(entry.partition),
      offset === undefined ? '-' : String(offset),
      end < 0 ? '-' : String(end),
      offset === undefined || end < 0 ? '-' : String(Math.max(0, end - offset)),
      owner?.memberId ?? '-',
      owner?.clientHost ?? '-',
      owner?.clientId ?? '-',
    ]
  })
  const header = [
    'GROUP',
    'TOPIC',
    'PARTITION',
    'CURRENT-OFFSET',
    'LOG-END-OFFSET',
    'LAG',
    'CONSUMER-ID',
    'HOST',
    'CLIENT-ID',
  ]
  return table(header, rows)
}

export function describedState(group: GroupDescription): string {
  const { id, host, port } = group.coordinator
  const row = [
    group.groupId,
    `${host}:${port}  (${id})`,
    group.protocol === '' ? '-' : group.protocol,
    group.state,
    String(group.members.length),
  ]
  return table(['GROUP', 'COORDINATOR (ID)', 'ASSIGNMENT-STRATEGY', 'STATE', '#MEMBERS'], [row])
}

/** With all columns of Kafka 4.3.1's --verbose; only the new group protocol has epochs and targets. */
export function describedMembers(group: GroupDescription, verbose: boolean): string {
  const header = ['GROUP', 'CONSUMER-ID', 'HOST', 'CLIENT-ID', '#PARTITIONS']
  const more = ['CURRENT-EPOCH', 'CURRENT-ASSIGNMENT', 'TARGET-EPOCH', 'TARGET-ASSIGNMENT']
  const isStatic = group.members.some((member) => member.groupInstanceId !== null)
  const rows = group.members.map((member) => {
    const partitions = assignedPartitions(member)
    const row = [group.groupId, member.memberId, member.clientHost, member.clientId, String(partitions.length)]
    if (isStatic) row.splice(2, 0, member.groupInstanceId ?? '-')
    return verbose ? [...row, '-', shownAssignment(partitions), '-', '-'] : row
  })
  if (isStatic) header.splice(2, 0, 'GROUP-INSTANCE-ID')
  return table(verbose ? [...header, ...more] : header, rows)
}

/** `orders:0,2;payments:1`. */
function shownAssignment(partitions: readonly TopicPartition[]): string {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
  const shown = [...byTopic].map(([topic, numbers]) => `${topic}:${numbers.toSorted((a, b) => a - b).join(',')}`)
  return shown.length === 0 ? '-' : shown.toSorted().join(';')
}
