/*
 * JoinGroup (11), versions 0 to 9.
 * 1: rebalance timeout. 4: members without an id get one first (error 79). 5: static membership (KIP-345). 6: flexible.
 * 7: protocol type in the answer. 8: reason. 9: the leader may be told to skip the assignment (KIP-814).
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

export const joinGroup = defineHandler({
  api: apis.joinGroup,
  versions: [0, 9],
  async handle(broker, request, context) {
    const { version } = context
    if (request.groupId === '') {
      return { errorCode: ErrorCode.INVALID_GROUP_ID, memberId: request.memberId, protocolName: nothing(version) }
    }
    const reply = await broker.groups.join(request.groupId, {
      connectionId: context.connection.id,
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      clientId: context.clientId,
      clientHost: `/${context.connection.host}`,
      // Version 0 has no rebalance timeout; the session timeout stands for both.
      rebalanceTimeoutMs: version === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
      sessionTimeoutMs: request.sessionTimeoutMs,
      protocolType: request.protocolType,
      // The bytes outlive the request, whose buffer they are views of.
      protocols: request.protocols.map((p) => ({ name: p.name, metadata: Buffer.from(p.metadata) })),
      requireKnownMemberId: version >= 4,
      supportsSkippingAssignment: version >= 9,
    })
    return {
      errorCode: reply.errorCode,
      generationId: reply.generationId,
      protocolType: reply.protocolType,
      protocolName: reply.protocolName ?? nothing(version),
      leader: reply.leaderId,
      skipAssignment: reply.skipAssignment,
      memberId: reply.memberId,
      members: [...reply.members],
    }
  },
})

/** The protocol name can be null only from version 7 on. */
function nothing(version: number): string | null {
  return version >= 7 ? null : ''
}
