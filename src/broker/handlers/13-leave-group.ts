/*
 * LeaveGroup (13), versions 0 to 5.
 * 3: several members at once, by member id or group.instance.id, with an error for each. 4: flexible. 5: reason.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

export const leaveGroup = defineHandler({
  api: apis.leaveGroup,
  versions: [0, 5],
  async handle(broker, request, context) {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID }
    const several = context.version >= 3
    const members = several ? request.members : [{ memberId: request.memberId, groupInstanceId: null }]
    const reply = await broker.groups.leave(
      request.groupId,
      context.connection.id,
      members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId })),
    )
    if (several) return { errorCode: reply.errorCode, members: [...reply.members] }
    return { errorCode: reply.errorCode === ErrorCode.NONE ? reply.members[0]!.errorCode : reply.errorCode }
  },
})
