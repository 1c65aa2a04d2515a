/*
 * Heartbeat (12), versions 0 to 4.
 * 3: static membership (group.instance.id). 4: flexible.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

export const heartbeat = defineHandler({
  api: apis.heartbeat,
  versions: [0, 4],
  async handle(broker, request, context) {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID }
    const { memberId, groupInstanceId, generationId } = request
    const origin = { connectionId: context.connection.id, memberId, groupInstanceId, generationId }
    return { errorCode: await broker.groups.heartbeat(request.groupId, origin) }
  },
})
