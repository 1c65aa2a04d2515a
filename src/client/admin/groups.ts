import { apis, ErrorCode } from '../../protocol/index.ts'
import type { BrokerConnection } from '../broker-connection.ts'
import type { Cluster } from '../cluster.ts'
import type { TopicPartition } from '../consumer/assignors/assignor.ts'
import { GroupOffsets, NO_MEMBER, type OffsetAndMetadata, type OffsetToCommit } from '../consumer/group-offsets.ts'
import { brokerError, throwOnError } from '../errors.ts'
import { connectCoordinator } from '../group/coordinator.ts'
import type { KeyedResult } from './results.ts'
import type { AdminCallOptions } from './topics.ts'

export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  /** `Stable`, `Empty`, ...; '' from brokers that do not say. */
  readonly state: string
  /** `classic` or `consumer`; '' from brokers that do not say. */
  readonly type: string
}

export interface MemberDescription {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly metadata: Buffer
  readonly assignment: Buffer
}

export interface GroupDescription {
  readonly groupId: string
  readonly protocolType: string
  /** The assignor, or the Connect protocol. */
  readonly protocol: string
  readonly state: string
  readonly members: readonly MemberDescription[]
  readonly coordinator: { readonly id: number; readonly host: string; readonly port: number }
}

/** The part of the admin client about groups and their offsets. */
export class GroupAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** All groups of all brokers. */
  async list(options: AdminCallOptions & { states?: readonly string[] } = {}): Promise<GroupListing[]> {
    return this.#cluster.retrying(
      'ListGroups',
      async () => {
        await this.#cluster.refresh()
        const found: GroupListing[] = []
        for (const broker of this.#cluster.metadata.brokers.keys()) {
          const request = options.states ? { statesFilter: options.states } : {}
          const answer = await this.#cluster.request(broker, apis.listGroups, request)
          throwOnError(answer.errorCode, 'ListGroups')
          for (const { groupId, protocolType, groupState, groupType } of answer.groups) {
            found.push({ groupId, protocolType, state: groupState, type: groupType })
          }
        }
        return found.toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1))
      },
      options,
    )
  }

  /** A group that does not exist is described as `Dead` or has the error GROUP_ID_NOT_FOUND, as the broker answers. */
  async describe(groupIds: readonly string[], options: AdminCallOptions = {}): Promise<KeyedResult<GroupDescription>> {
    const result: KeyedResult<GroupDescription> = new Map()
    for (const groupId of groupIds) {
      const described = await this.#atCoordinator('DescribeGroups', groupId, options, async (connection, id) => {
        const answer = await connection.request(apis.describeGroups, { groups: [groupId] })
        const group = answer.groups[0]
        const errorCode = group?.errorCode ?? ErrorCode.GROUP_ID_NOT_FOUND
        throwIfMoved(errorCode, groupId)
        if (!group || errorCode !== 0) return { error: brokerError(errorCode, `Group ${groupId}`, group?.errorMessage) }
        const coordinator = { id, host: connection.address.host, port: connection.address.port }
        const members = group.members.map(({ memberMetadata, memberAssignment, ...member }) => ({
          ...member,
          metadata: memberMetadata,
          assignment: memberAssignment,
        }))
        const { protocolType, protocolData, groupState } = group
        return { value: { groupId, protocolType, protocol: protocolData, state: groupState, members, coordinator } }
      })
      result.set(groupId, described)
    }
    return result
  }

  async delete(groupIds: readonly string[], options: AdminCallOptions = {}): Promise<KeyedResult<void>> {
    const result: KeyedResult<void> = new Map()
    for (const groupId of groupIds) {
      const deleted = await this.#atCoordinator('DeleteGroups', groupId, options, async (connection) => {
        const answer = await connection.request(apis.deleteGroups, { groupsNames: [groupId] })
        const errorCode = answer.results[0]?.errorCode ?? ErrorCode.GROUP_ID_NOT_FOUND
        throwIfMoved(errorCode, groupId)
        return errorCode === 0 ? { value: undefined } : { error: brokerError(errorCode, `Group ${groupId}`) }
      })
      result.set(groupId, deleted)
    }
    return result
  }

  /** Committed offsets of a group: of these partitions, or of all. */
  async offsets(
    groupId: string,
    partitions: readonly TopicPartition[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<(TopicPartition & OffsetAndMetadata)[]> {
    const found = await new GroupOffsets(this.#cluster, groupId).committed(partitions, options.timeoutMs)
    return [...found.values()]
  }

  /** Sets committed offsets; refused while the group has members. */
  async alterOffsets(
    groupId: string,
    offsets: readonly OffsetToCommit[],
    options: AdminCallOptions = {},
  ): Promise<void> {
    await new GroupOffsets(this.#cluster, groupId).commit(offsets, () => NO_MEMBER, options.timeoutMs)
  }

  /** Removes committed offsets; refused for topics that a live member subscribes to. */
  async deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: AdminCallOptions = {},
  ): Promise<void> {
    const byTopic = Map.groupBy(partitions, ({ topic }) => topic)
    const topics = [...byTopic].map(([name, list]) => ({
      name,
      partitions: list.map(({ partition }) => ({ partitionIndex: partition })),
    }))
    await this.#atCoordinator('OffsetDelete', groupId, options, async (connection) => {
      const answer = await connection.request(apis.offsetDelete, { groupId, topics })
      throwOnError(answer.errorCode, `Offsets of group ${groupId}`)
      for (const topic of answer.topics) {
        for (const { partitionIndex, errorCode } of topic.partitions) {
          throwOnError(errorCode, `Offset of ${topic.name}-${partitionIndex} in group ${groupId}`)
        }
      }
    })
  }

  /** Takes members out of a group: static ones by instance id, others by member id. */
  async removeMembers(
    groupId: string,
    members: readonly { readonly memberId?: string; readonly groupInstanceId?: string | null }[],
    options: AdminCallOptions = {},
  ): Promise<void> {
    await this.#atCoordinator('LeaveGroup', groupId, options, async (connection) => {
      const answer = await connection.request(apis.leaveGroup, { groupId, members })
      throwOnError(answer.errorCode, `Group ${groupId}`)
      for (const { memberId, errorCode } of answer.members) throwOnError(errorCode, `Member ${memberId} of ${groupId}`)
    })
  }

  #atCoordinator<T>(
    what: string,
    groupId: string,
    options: AdminCallOptions,
    attempt: (connection: BrokerConnection, nodeId: number) => Promise<T>,
  ): Promise<T> {
    const once = async () => {
      const connection = await connectCoordinator(this.#cluster, groupId)
      const { address } = connection
      const brokers = [...this.#cluster.metadata.brokers.values()]
      const nodeId = brokers.find(({ host, port }) => host === address.host && port === address.port)?.id ?? -1
      return attempt(connection, nodeId)
    }
    return this.#cluster.retrying(what, once, options)
  }
}

/** Errors that another coordinator answers better. */
function throwIfMoved(errorCode: number, groupId: string): void {
  const moved: readonly number[] = [
    ErrorCode.NOT_COORDINATOR,
    ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ]
  if (moved.includes(errorCode)) throw brokerError(errorCode, `Group ${groupId}`)
}
