/*
 * DescribeGroups (15), versions 0 to 6.
 * 3: authorised operations. 4: group.instance.id. 5: flexible. 6: a group that does not exist is 69 instead of "Dead".
 * Metadata and assignments are answered byte for byte, whatever the protocol type.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { metadataFor } from '../groups/classic/group-state.ts'
import type { Group } from '../groups/group-coordinator.ts'
import { defineHandler } from './handler.ts'

export const describeGroups = defineHandler({
  api: apis.describeGroups,
  versions: [0, 6],
  handle(broker, request, context) {
    return {
      groups: request.groups.map((groupId) => described(groupId, broker.groups.groups.get(groupId), context.version)),
    }
  },
})

function described(groupId: string, group: Group | undefined, version: number) {
  if (group === undefined || group.state.phase === 'Dead') {
    const unknown = version >= 6
    return {
      groupId,
      groupState: 'Dead',
      errorCode: unknown ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NONE,
      errorMessage: unknown ? `Group ${groupId} not found.` : null,
    }
  }
  const { state } = group
  const isSettled = state.phase === 'Stable'
  return {
    groupId,
    errorCode: ErrorCode.NONE,
    groupState: state.phase,
    protocolType: state.protocolType ?? '',
    // Between two generations there is no protocol and no assignment that could be relied on.
    protocolData: isSettled ? (state.protocolName ?? '') : '',
    members: [...state.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isSettled ? metadataFor(member, state.protocolName) : Buffer.alloc(0),
      memberAssignment: isSettled ? member.assignment : Buffer.alloc(0),
    })),
  }
}
