/*
 * ApiVersions (18), versions 0 to 4.
 * 1: throttle time. 3: flexible, client software name and version, features. 4: supported features may start at version 0.
 * The answer's header is always version 0; an unknown version is answered in version 0 with error 35 (see dispatcher.ts).
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

export const apiVersions = defineHandler({
  api: apis.apiVersions,
  versions: [0, 4],
  handle(broker, request, { version, connection }) {
    if (version >= 3) {
      const { clientSoftwareName, clientSoftwareVersion } = request
      if (!SOFTWARE_NAME.test(clientSoftwareName) || !SOFTWARE_NAME.test(clientSoftwareVersion)) {
        return { errorCode: ErrorCode.INVALID_REQUEST }
      }
      connection.clientSoftwareName = clientSoftwareName
      connection.clientSoftwareVersion = clientSoftwareVersion
    }
    // No feature is finalized: clients then use neither transactions version 2 nor the new group protocol.
    return { apiKeys: [...broker.apiRanges], finalizedFeaturesEpoch: 0 }
  },
})
