/*
 * DeleteTopics (20), versions 1 to 6.
 * 4: flexible. 5: error message. 6: by name or by id. Unknown name 3, unknown id 100, deletion switched off 73.
 */
import { apis, ErrorCode, ZERO_UUID } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { defineHandler } from './handler.ts'

export const deleteTopics = defineHandler({
  api: apis.deleteTopics,
  versions: [1, 6],
  async handle(broker, request, { version }) {
    const asked = version >= 6 ? request.topics : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
    const deleted = new Set<string>()
    const responses = asked.map((topic) => answerTo(broker, topic, deleted))
    await broker.topics.deleteAll([...deleted])
    // Committed offsets belong to the topics that are gone, not to later ones of the same names.
    for (const name of deleted) await broker.groups.topicDeleted(name)
    return { responses }
  },
})

/** What is answered for one topic; adds its name to those that are to be deleted when that can be done. */
function answerTo(broker: BrokerServices, asked: { name: string | null; topicId: string }, deleted: Set<string>) {
  const answer = (errorCode: number, errorMessage: string | null = null) => ({ ...asked, errorCode, errorMessage })
  const byId = asked.topicId !== ZERO_UUID
  if (byId && asked.name !== null)
    return answer(ErrorCode.INVALID_REQUEST, 'Give a topic name or a topic id, not both.')
  if (!byId && asked.name === null) return answer(ErrorCode.INVALID_REQUEST, 'Neither a topic name nor a topic id.')
  const topic = byId ? broker.topics.getById(asked.topicId) : broker.topics.get(asked.name ?? '')
  if (topic === undefined || deleted.has(topic.name)) {
    return answer(byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  }
  if (!broker.config.boolean('delete.topic.enable')) return answer(ErrorCode.TOPIC_DELETION_DISABLED)
  if (topic.isInternal) return answer(ErrorCode.INVALID_REQUEST, `${topic.name} is the broker's own topic.`)
  deleted.add(topic.name)
  return { name: topic.name, topicId: topic.id, errorCode: ErrorCode.NONE, errorMessage: null }
}
