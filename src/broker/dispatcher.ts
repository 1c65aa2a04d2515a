import { apis, ErrorCode, ProtocolError, Reader, requestHeader } from '../protocol/index.ts'
import type { BrokerServices } from './broker-services.ts'
import { refuseOldProduce } from './handlers/00-produce-unsupported.ts'
import { allHandlers } from './handlers/all-handlers.ts'
import type { Handler } from './handlers/handler.ts'
import type { Answer, ClientConnection, PendingAnswer, RequestDispatcher } from './network/client-connection.ts'

const API_VERSIONS_KEY = 18
const PRODUCE_KEY = 0

/** What ApiVersions says: the same list for every connection. */
export const API_RANGES: BrokerServices['apiRanges'] = allHandlers.map(({ key, advertised: [min, max] }) => ({
  apiKey: key,
  minVersion: min,
  maxVersion: max,
}))

const byKey: (Handler | undefined)[] = []
for (const handler of allHandlers) byKey[handler.key] = handler

/** Counts of served requests, by API name. */
export type RequestCounts = Map<string, number>

/** Finds the handler of a request. What nobody can answer closes the connection, with a line in the log. */
export class Dispatcher implements RequestDispatcher {
  readonly #broker: BrokerServices
  readonly counts: RequestCounts = new Map()

  constructor(broker: BrokerServices) {
    this.#broker = broker
  }

  isPipelined(frame: Buffer): boolean {
    return frame.length >= 2 && byKey[frame.readInt16BE(0)]?.pipelined === true
  }

  dispatch(connection: ClientConnection, frame: Buffer): Answer | PendingAnswer {
    const { apiKey, apiVersion, correlationId } = requestHeader.peek(frame)
    const handler = byKey[apiKey]
    if (handler === undefined) throw new ProtocolError(`API key ${apiKey} is not served`)
    const [min, max] = handler.versions
    if (apiVersion < min || apiVersion > max) {
      if (apiKey === API_VERSIONS_KEY) return unknownApiVersions(correlationId)
      if (apiKey === PRODUCE_KEY && apiVersion >= 0 && apiVersion < min)
        return oldProduce(frame, apiVersion, correlationId)
      throw new ProtocolError(`${handler.name} is served in versions ${min} to ${max}, not ${apiVersion}`)
    }
    const reader = new Reader(frame)
    const header = requestHeader.decode(reader, handler.requestHeaderVersion(apiVersion))
    this.counts.set(handler.name, (this.counts.get(handler.name) ?? 0) + 1)
    return handler.respond(this.#broker, frame, reader.position, correlationId, {
      connection,
      version: apiVersion,
      clientId: header.clientId ?? '',
    })
  }
}

function oldProduce(frame: Buffer, version: number, correlationId: number): Answer {
  const reader = new Reader(frame)
  requestHeader.decode(reader, 1)
  return refuseOldProduce(frame, reader.position, version, correlationId)
}

/** A client newer than this broker learns the ranges from an answer in version 0, and asks again. */
function unknownApiVersions(correlationId: number): Answer {
  const response = { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: [...API_RANGES] }
  return apis.apiVersions.responseFrame(0, correlationId, response)
}
