/*
 * ListGroups (16), versions 0 to 5.
 * 3: flexible. 4: states, as answer and filter. 5: types, as answer and filter; only classic groups exist here.
 */
import { apis } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

const CLASSIC = 'classic'

export const listGroups = defineHandler({
  api: apis.listGroups,
  versions: [0, 5],
  handle(broker, request) {
    const states = new Set(request.statesFilter.map((state) => state.toLowerCase()))
    const types = new Set(request.typesFilter.map((type) => type.toLowerCase()))
    if (types.size > 0 && !types.has(CLASSIC)) return { groups: [] }
    const groups = []
    for (const [groupId, { state }] of broker.groups.groups) {
      if (states.size > 0 && !states.has(state.phase.toLowerCase())) continue
      groups.push({ groupId, protocolType: state.protocolType ?? '', groupState: state.phase, groupType: CLASSIC })
    }
    return { groups }
  },
})
