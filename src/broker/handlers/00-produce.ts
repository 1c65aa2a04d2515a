/*
 * Produce (0), versions 3 to 13; 0 to 2 are listed because librdkafka switches compression off without them (KAFKA-18659).
 * 5: log start offset. 7: zstd. 8: record errors. 9: flexible. 10: leader hints (KIP-951). 12: implicit transactions, not
 * finalized here. 13: topics by id. Batches are validated by header and CRC and stored as they are. acks=0 has no answer;
 * an error then closes the connection, which is the only way to tell.
 */
import type { Log } from '../../log/index.ts'
import {
  apis,
  ErrorCode,
  type ProduceRequest,
  type ProduceResponsePartitionProduceResponse,
} from '../../protocol/index.ts'
import { BATCH_ATTRIBUTE, BATCH_FIELD, BATCH_HEADER_SIZE } from '../../record/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { CloseConnection } from '../network/client-connection.ts'
import type { Topic } from '../topics/topic-registry.ts'
import { defineHandler } from './handler.ts'

type PartitionAnswer = Partial<ProduceResponsePartitionProduceResponse> & { index: number; errorCode: number }

/** Tools that repair groups write to internal topics under this name. */
const ADMIN_CLIENT_ID = '__admin_client'

export const produce = defineHandler({
  api: apis.produce,
  versions: [3, 13],
  advertised: [0, 13],
  pipelined: true,
  handle(broker, request, { version, clientId }) {
    const { acks } = request
    const waits: Promise<void>[] = []
    const responses = request.topicData.map(({ name, topicId, partitionData }) => {
      const topic = version >= 13 ? broker.topics.getById(topicId) : broker.topics.get(name)
      const missing = version >= 13 ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      const refusal = topic === undefined ? missing : requestError(request, topic, clientId)
      const partitionResponses = partitionData.map(({ index, records }): PartitionAnswer => {
        if (refusal !== ErrorCode.NONE || topic === undefined) return failed(index, refusal)
        const log = topic.logs[index]
        if (log === undefined) return failed(index, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        return append(broker, log, { index, records, acks, version, waits })
      })
      return { name, topicId, partitionResponses }
    })
    if (acks === 0) {
      for (const { partitionResponses } of responses) closeOnError(partitionResponses)
      return null
    }
    const response = { responses }
    return waits.length === 0 ? response : Promise.all(waits).then(() => response)
  },
})

function requestError(request: ProduceRequest, topic: Topic, clientId: string): number {
  if (request.acks < -1 || request.acks > 1) return ErrorCode.INVALID_REQUIRED_ACKS
  if (topic.isInternal && clientId !== ADMIN_CLIENT_ID) return ErrorCode.INVALID_TOPIC_EXCEPTION
  if (request.acks === -1 && topic.minInsyncReplicas > 1) return ErrorCode.NOT_ENOUGH_REPLICAS
  if (request.transactionalId !== null) return ErrorCode.INVALID_TXN_STATE
  return ErrorCode.NONE
}

interface Append {
  readonly index: number
  readonly records: Buffer | null
  readonly acks: number
  readonly version: number
  readonly waits: Promise<void>[]
}

function append(broker: BrokerServices, log: Log, { index, records, acks, version, waits }: Append): PartitionAnswer {
  if (records === null) return failed(index, ErrorCode.INVALID_RECORD, 'The request has no records for the partition.')
  if (isTransactional(records)) return failed(index, ErrorCode.INVALID_TXN_STATE, 'The broker has no transactions.')
  const result = log.append(records, { leaderEpoch: broker.topics.leaderEpoch, allowZstd: version >= 7 })
  if (result.error !== undefined) {
    const recordErrors =
      result.recordIndex === undefined
        ? []
        : [{ batchIndex: result.recordIndex, batchIndexErrorMessage: result.message }]
    return { ...failed(index, ErrorCode[result.error], result.message), recordErrors }
  }
  const answer: PartitionAnswer = {
    index,
    errorCode: ErrorCode.NONE,
    baseOffset: result.baseOffset,
    logAppendTimeMs: result.logAppendTime,
    logStartOffset: log.logStartOffset,
  }
  if (acks !== -1) return answer
  // Invariant 5: acks=all is answered only when the batch is as durable as the flush policy promises.
  const committed = log.whenCommitted(result.lastOffset + 1)
  if (committed !== undefined) {
    waits.push(
      committed.catch((error: unknown) => {
        broker.logger.error({ topic: log.topic, partition: log.partition, err: error }, 'a batch could not be synced')
        Object.assign(answer, failed(index, ErrorCode.KAFKA_STORAGE_ERROR))
      }),
    )
  }
  return answer
}

function isTransactional(records: Buffer): boolean {
  if (records.length < BATCH_HEADER_SIZE) return false
  return (records.readInt16BE(BATCH_FIELD.attributes) & BATCH_ATTRIBUTE.transactional) !== 0
}

function failed(index: number, errorCode: number, errorMessage: string | null = null): PartitionAnswer {
  return { index, errorCode, errorMessage, baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1 }
}

function closeOnError(answers: readonly PartitionAnswer[]): void {
  const refused = answers.find(({ errorCode }) => errorCode !== ErrorCode.NONE)
  if (refused === undefined) return
  throw new CloseConnection(
    `produce with acks=0 failed for partition ${refused.index} with error ${refused.errorCode}: ${refused.errorMessage ?? ''}`,
  )
}
