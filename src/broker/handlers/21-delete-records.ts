/*
 * DeleteRecords (21), versions 0 to 2.
 * 2: flexible. -1 deletes up to the high watermark. Beyond it is 1, a topic that is only compacted 44, internal topics 17.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { defineHandler } from './handler.ts'

export const deleteRecords = defineHandler({
  api: apis.deleteRecords,
  versions: [0, 2],
  async handle(broker, request) {
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, offset }) => ({
        partitionIndex,
        ...deleteBelow(broker, name, partitionIndex, offset),
      })),
    }))
    // The log manager writes the new starts down in a microtask that is queued already: it runs before the answer.
    await Promise.resolve()
    return { topics }
  },
})

function deleteBelow(broker: BrokerServices, name: string, partition: number, offset: number) {
  const topic = broker.topics.get(name)
  const log = topic?.logs[partition]
  if (topic === undefined || log === undefined) {
    return { lowWatermark: -1, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
  }
  if (topic.isInternal) return { lowWatermark: -1, errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION }
  const result = log.deleteRecords(offset)
  if (result.error !== undefined) return { lowWatermark: -1, errorCode: ErrorCode[result.error] }
  return { lowWatermark: result.lowWatermark, errorCode: ErrorCode.NONE }
}
