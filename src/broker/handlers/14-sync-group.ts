/*
 * SyncGroup (14), versions 0 to 5.
 * 3: static membership. 4: flexible. 5: protocol type and name, checked (23) and answered; both are required then.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

export const syncGroup = defineHandler({
  api: apis.syncGroup,
  versions: [0, 5],
  async handle(broker, request, context) {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID }
    if (context.version >= 5 && (request.protocolType === null || request.protocolName === null)) {
      return { errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL }
    }
    const reply = await broker.groups.sync(request.groupId, {
      connectionId: context.connection.id,
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      generationId: request.generationId,
      protocolType: request.protocolType,
      protocolName: request.protocolName,
      // The bytes outlive the request, whose buffer they are views of.
      assignments: request.assignments.map((a) => ({ memberId: a.memberId, assignment: Buffer.from(a.assignment) })),
    })
    const { errorCode, protocolType, protocolName, assignment } = reply
    return { errorCode, protocolType, protocolName, assignment }
  },
})
