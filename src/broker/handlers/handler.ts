import type { Api, Encodable } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import type { Answer, ClientConnection, PendingAnswer } from '../network/client-connection.ts'

/** What a handler knows of a request besides its message. */
export interface RequestContext {
  readonly connection: ClientConnection
  readonly version: number
  readonly clientId: string
}

/** How one API is served. `null` as an answer sends nothing. */
export interface HandlerDefinition<Request, Response> {
  readonly api: Api<Request, Response>
  /** The versions served. */
  readonly versions: readonly [min: number, max: number]
  /** The versions listed in ApiVersions, where they differ from those served. */
  readonly advertised?: readonly [min: number, max: number]
  /** Whether further requests of this kind may start while one is pending. */
  readonly pipelined?: boolean
  handle(
    broker: BrokerServices,
    request: Request,
    context: RequestContext,
  ): Encodable<Response> | null | Promise<Encodable<Response> | null>
}

/** A handler with its types erased: what the table of all APIs holds. */
export interface Handler {
  readonly key: number
  readonly name: string
  readonly versions: readonly [min: number, max: number]
  readonly advertised: readonly [min: number, max: number]
  readonly pipelined: boolean
  requestHeaderVersion(version: number): 1 | 2
  respond(
    broker: BrokerServices,
    frame: Buffer,
    bodyOffset: number,
    correlationId: number,
    context: RequestContext,
  ): Answer | PendingAnswer
}

/** Ties a handler to the codecs of its API. */
export function defineHandler<Request, Response>(definition: HandlerDefinition<Request, Response>): Handler {
  const { api, versions, pipelined = false } = definition
  return {
    key: api.key,
    name: api.name,
    versions,
    advertised: definition.advertised ?? versions,
    pipelined,
    requestHeaderVersion: (version) => api.requestHeaderVersion(version),
    respond(broker, frame, bodyOffset, correlationId, context) {
      const { version } = context
      const request = api.decodeRequest(version, frame, bodyOffset)
      const encode = (response: Encodable<Response> | null): Answer =>
        response === null ? null : api.responseFrame(version, correlationId, response)
      const outcome = definition.handle(broker, request, context)
      if (outcome instanceof Promise) return { pipelined, answer: outcome.then(encode) }
      return encode(outcome)
    },
  }
}
