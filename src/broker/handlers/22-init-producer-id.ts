/*
 * InitProducerId (22), versions 0 to 5.
 * 2: flexible. 3: an idempotent producer may bring its old id (KIP-360). Ids are never given out twice, also not after a
 * crash. Transactional ids are refused: there are no transactions yet.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

export const initProducerId = defineHandler({
  api: apis.initProducerId,
  versions: [0, 5],
  handle(broker, request) {
    const { transactionalId } = request
    if (transactionalId !== null) {
      const errorCode = transactionalId === '' ? ErrorCode.INVALID_REQUEST : ErrorCode.UNSUPPORTED_VERSION
      return { errorCode, producerId: -1, producerEpoch: -1 }
    }
    return { errorCode: ErrorCode.NONE, producerId: broker.topics.nextProducerId(), producerEpoch: 0 }
  },
})
