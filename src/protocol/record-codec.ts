import { type Encodable, messageCodec } from './message-codec.ts'
import { ProtocolError } from './protocol-error.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** A message with an int16 in front: keys and values of internal topics, and the group protocol of consumers. */
export interface RecordCodec<T> {
  readonly name: string
  /** A key's prefix says which record it is; a value's prefix is the version it is written in. */
  readonly prefix: number | 'version'
  readonly validVersions: readonly [min: number, max: number]
  encode(message: Encodable<T>, version?: number): Buffer
  /** A version newer than the codec's is read as the newest known one, as Kafka does: fields are only ever added at the end. */
  decode(buffer: Buffer): { version: number; message: T }
}

const scratch = new Writer()

export function defineRecord<T>(name: string, prefix: number | 'version', min: number, max: number): RecordCodec<T> {
  const codec = messageCodec<T>(name, min, max)
  return {
    name,
    prefix,
    validVersions: [min, max],
    encode(message, version = max) {
      scratch.start(false)
      scratch.int16(prefix === 'version' ? version : prefix)
      codec.encode(version, scratch, message)
      return scratch.finish()
    },
    decode(buffer) {
      const reader = new Reader(buffer)
      const found = reader.int16()
      if (prefix !== 'version') {
        if (found !== prefix) throw new ProtocolError(`${name} starts with ${prefix}, not ${found}`)
        return { version: max, message: codec.decode(max, reader) }
      }
      if (found < min) throw new ProtocolError(`${name} has versions ${min} to ${max}, not ${found}`)
      return { version: found, message: codec.decode(Math.min(found, max), reader) }
    },
  }
}
