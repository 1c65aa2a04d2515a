import { ProtocolError } from './protocol-error.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export interface RequestHeader {
  apiKey: number
  apiVersion: number
  correlationId: number
  clientId: string | null
}

function skipTags(reader: Reader): void {
  for (let count = reader.varuint(); count > 0; count--) {
    reader.varuint()
    reader.take(reader.varuint())
  }
}

/** Request header v1 (fixed) and v2 (with tagged fields). The client id is never compact and may be null in both. */
export const requestHeader: {
  /** The first eight bytes: enough to choose the header version. */
  peek(buffer: Buffer): { apiKey: number; apiVersion: number; correlationId: number }
  decode(reader: Reader, headerVersion: 1 | 2): RequestHeader
  encode(writer: Writer, header: RequestHeader, headerVersion: 1 | 2): void
} = {
  peek(buffer) {
    if (buffer.length < 8) throw new ProtocolError(`request of ${buffer.length} bytes has no header`)
    return {
      apiKey: buffer.readInt16BE(0),
      apiVersion: buffer.readInt16BE(2),
      correlationId: buffer.readInt32BE(4),
    }
  },
  decode(reader, headerVersion) {
    const apiKey = reader.int16()
    const apiVersion = reader.int16()
    const correlationId = reader.int32()
    const clientId = reader.nullableString()
    if (headerVersion === 2) skipTags(reader)
    return { apiKey, apiVersion, correlationId, clientId }
  },
  encode(writer, header, headerVersion) {
    writer.int16(header.apiKey)
    writer.int16(header.apiVersion)
    writer.int32(header.correlationId)
    writer.nullableString(header.clientId)
    if (headerVersion === 2) writer.varuint(0)
  },
}

/** Response header v0 (correlation id) and v1 (with tagged fields). */
export const responseHeader: {
  decode(reader: Reader, headerVersion: 0 | 1): number
  encode(writer: Writer, correlationId: number, headerVersion: 0 | 1): void
} = {
  decode(reader, headerVersion) {
    const correlationId = reader.int32()
    if (headerVersion === 1) skipTags(reader)
    return correlationId
  },
  encode(writer, correlationId, headerVersion) {
    writer.int32(correlationId)
    if (headerVersion === 1) writer.varuint(0)
  },
}
