/*
 * DescribeCluster (60), versions 0 to 2.
 * 1: asks brokers or controllers; a broker does not answer for controllers (114). 2: fenced brokers, of which there are none.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

const ENDPOINT_BROKERS = 1

export const describeCluster = defineHandler({
  api: apis.describeCluster,
  versions: [0, 2],
  handle(broker, request, { version, connection }) {
    const { nodeId } = broker.config
    if (version >= 1 && request.endpointType !== ENDPOINT_BROKERS) {
      const errorMessage = 'The request was sent to an endpoint of the wrong type: this is a broker.'
      return {
        errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE,
        errorMessage,
        endpointType: ENDPOINT_BROKERS,
        clusterId: '',
      }
    }
    const { host, port } = connection.advertised
    const rack = broker.config.stringOrNull('broker.rack')
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      endpointType: ENDPOINT_BROKERS,
      clusterId: broker.clusterId,
      controllerId: nodeId,
      brokers: [{ brokerId: nodeId, host, port, rack, isFenced: false }],
    }
  },
})
