/*
 * FindCoordinator (10), versions 0 to 6.
 * 0: one group. 1: key type (0 group, 1 transaction, 2 share). 3: flexible. 4: several keys at once. 5, 6: new errors only.
 * One broker coordinates everything; an unknown key type is 42, an empty key 24.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

const KEY_TYPE_TRANSACTION = 1

export const findCoordinator = defineHandler({
  api: apis.findCoordinator,
  versions: [0, 6],
  handle(broker, request, context) {
    const { host, port } = context.connection.advertised
    const { nodeId } = broker.config
    const answerFor = (key: string) => {
      const [errorCode, errorMessage] = keyError(request.keyType, key)
      return errorCode === ErrorCode.NONE
        ? { key, nodeId, host, port, errorCode, errorMessage: null }
        : { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage }
    }
    if (context.version >= 4) return { coordinators: request.coordinatorKeys.map(answerFor) }
    return answerFor(request.key)
  },
})

function keyError(keyType: number, key: string): [number, string | null] {
  // A retriable error would let a transactional producer wait for nothing; this one it reports at once, with the text.
  if (keyType === KEY_TYPE_TRANSACTION) {
    return [
      ErrorCode.UNSUPPORTED_VERSION,
      'This version of the broker has no transactions; leave transactional.id out.',
    ]
  }
  if (keyType !== 0) return [ErrorCode.INVALID_REQUEST, `Key type ${keyType} is not known.`]
  if (key === '') return [ErrorCode.INVALID_GROUP_ID, 'The group id is empty.']
  return [ErrorCode.NONE, null]
}
