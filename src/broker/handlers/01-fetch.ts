/*
 * Fetch (1), versions 4 to 17.
 * 5: log start offset. 7: incremental sessions (KIP-227). 9: leader epoch. 10: zstd. 11: rack. 12: flexible. 13: topics by
 * id (KIP-516). 15: replica state. 16: node endpoints beside a leader hint (KIP-951). 17: replica directory.
 * Answers whole batches as stored, from the one that holds the offset. Waits for min.bytes up to max.wait.ms, but never
 * with an error to tell.
 */
import { apis, ErrorCode, type FetchRequest } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { delayedFetch } from '../fetch/delayed-fetch.ts'
import { discard, type FetchLimits, type FetchPass, fetchPass, type PartitionAnswer } from '../fetch/fetch-pass.ts'
import type { FetchContext, FetchPartition } from '../fetch/fetch-sessions.ts'
import type { ClientConnection } from '../network/client-connection.ts'
import { defineHandler } from './handler.ts'

const READ_COMMITTED = 1

export const fetch = defineHandler({
  api: apis.fetch,
  versions: [4, 17],
  handle(broker, request, { version, connection }) {
    const byId = version >= 13
    const context = broker.fetchSessions.contextFor(request, byId, version >= 7)
    if (typeof context === 'number') return { errorCode: context }
    const limits: FetchLimits = {
      maxBytes: Math.min(request.maxBytes, broker.config.number('fetch.max.bytes')),
      readCommitted: request.isolationLevel === READ_COMMITTED,
      allowZstd: version >= 10,
      byId,
    }
    const pass = fetchPass(broker, context.partitions, limits)
    if (mayAnswer(request, context, pass)) return answer(broker, context, pass, connection)
    discard(broker, pass)
    const { minBytes, maxWaitMs } = request
    return delayedFetch(broker, connection, context.partitions, limits, { minBytes, maxWaitMs }).then((later) =>
      answer(broker, context, later, connection),
    )
  },
})

function mayAnswer(request: FetchRequest, context: FetchContext, pass: FetchPass): boolean {
  return pass.bytes >= request.minBytes || pass.hasError || request.maxWaitMs <= 0 || context.partitions.length === 0
}

/** Whether an incremental answer has to mention this partition. */
function isNews(asked: FetchPartition, answer: PartitionAnswer): boolean {
  return (
    answer.records.length > 0 ||
    answer.errorCode !== ErrorCode.NONE ||
    answer.highWatermark !== asked.answeredHighWatermark ||
    answer.logStartOffset !== asked.answeredLogStartOffset
  )
}

function answer(broker: BrokerServices, context: FetchContext, pass: FetchPass, connection: ClientConnection) {
  connection.lend(pass.memory)
  const responses: { topic: string; topicId: string; partitions: PartitionAnswer[] }[] = []
  const withRecords: FetchPartition[] = []
  let hinted = false
  for (let i = 0; i < pass.answers.length; i++) {
    const asked = context.partitions[i]!
    const found = pass.answers[i]!
    if (context.incremental && !isNews(asked, found)) continue
    if (found.records.length > 0) withRecords.push(asked)
    if (found.currentLeader !== undefined) hinted = true
    asked.answeredHighWatermark = found.highWatermark ?? -1
    asked.answeredLogStartOffset = found.logStartOffset ?? -1
    let topic = responses.at(-1)
    if (topic === undefined || topic.topic !== asked.topic || topic.topicId !== asked.topicId) {
      topic = { topic: asked.topic, topicId: asked.topicId, partitions: [] }
      responses.push(topic)
    }
    topic.partitions.push(found)
  }
  context.answered(withRecords)
  const nodeEndpoints = hinted ? [{ nodeId: broker.config.nodeId, ...connection.advertised, rack: null }] : []
  return { errorCode: ErrorCode.NONE, sessionId: context.sessionId, responses, nodeEndpoints }
}
