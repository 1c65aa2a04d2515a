/*
 * DeleteGroups (42), versions 0 to 2.
 * 2: flexible. A group with members is 68, one that does not exist 69.
 */
import { apis } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

export const deleteGroups = defineHandler({
  api: apis.deleteGroups,
  versions: [0, 2],
  async handle(broker, request) {
    const results = []
    for (const groupId of request.groupsNames) {
      results.push({ groupId, errorCode: await broker.groups.delete(groupId) })
    }
    return { results }
  },
})
