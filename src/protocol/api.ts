import { requestHeader, responseHeader } from './header.ts'
import { type Encodable, messageCodec } from './message-codec.ts'
import { ProtocolError } from './protocol-error.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** What a frame needs besides the message. */
export interface RequestFrame {
  correlationId: number
  clientId: string | null
}

/** One Kafka API: its key, name, versions and codecs. */
export interface Api<Request, Response> {
  readonly key: number
  readonly name: string
  /** The versions the codec knows; what a broker advertises may be less. */
  readonly validVersions: readonly [min: number, max: number]
  requestHeaderVersion(version: number): 1 | 2
  responseHeaderVersion(version: number): 0 | 1
  encodeRequest(version: number, message: Encodable<Request>): Buffer
  decodeRequest(version: number, buffer: Buffer, offset?: number): Request
  encodeResponse(version: number, message: Encodable<Response>): Buffer
  decodeResponse(version: number, buffer: Buffer, offset?: number): Response
  /** Size, header and body, ready to be sent in order; byte fields of 1 KiB and more are not copied and must not change until sent. */
  requestFrame(version: number, frame: RequestFrame, message: Encodable<Request>): Buffer[]
  responseFrame(version: number, correlationId: number, message: Encodable<Response>): Buffer[]
}

/** One writer serves all encoders: encoding never yields. */
const scratch = new Writer()

export function defineApi<Request, Response>(
  key: number,
  name: string,
  min: number,
  max: number,
  flexibleFrom: number,
): Api<Request, Response> {
  const request = messageCodec<Request>(`${name}Request`, min, max)
  const response = messageCodec<Response>(`${name}Response`, min, max)
  const requestHeaderVersion = (version: number) => (version >= flexibleFrom ? 2 : 1)
  // ApiVersions answers have the oldest header always, so that a client can read a version it does not know.
  const responseHeaderVersion = (version: number) => (key !== 18 && version >= flexibleFrom ? 1 : 0)
  return {
    key,
    name,
    validVersions: [min, max],
    requestHeaderVersion,
    responseHeaderVersion,
    encodeRequest: (version, message) => encodeWith(name, version, (w) => request.encode(version, w, message)),
    decodeRequest: (version, buffer, offset = 0) => request.decode(version, new Reader(buffer, offset)),
    encodeResponse: (version, message) => encodeWith(name, version, (w) => response.encode(version, w, message)),
    decodeResponse: (version, buffer, offset = 0) => response.decode(version, new Reader(buffer, offset)),
    requestFrame: (version, { correlationId, clientId }, message) =>
      frameWith(name, version, (w) => {
        const headerVersion = requestHeaderVersion(version)
        requestHeader.encode(w, { apiKey: key, apiVersion: version, correlationId, clientId }, headerVersion)
        request.encode(version, w, message)
      }),
    responseFrame: (version, correlationId, message) =>
      frameWith(name, version, (w) => {
        responseHeader.encode(w, correlationId, responseHeaderVersion(version))
        response.encode(version, w, message)
      }),
  }
}

function encodeWith(name: string, version: number, write: (writer: Writer) => void): Buffer {
  scratch.start(false)
  explained(name, version, write)
  return scratch.finish()
}

function frameWith(name: string, version: number, write: (writer: Writer) => void): Buffer[] {
  scratch.start(true)
  scratch.int32(0)
  explained(name, version, write)
  scratch.patchInt32(0, scratch.size - 4)
  return scratch.finishParts()
}

function explained(name: string, version: number, write: (writer: Writer) => void): void {
  try {
    write(scratch)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new ProtocolError(`${name} v${version}: ${error.message}`, { cause: error })
  }
}
