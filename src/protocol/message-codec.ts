import { compileDecoder, compileEncoder } from './compile.ts'
import { schemas } from './generated/schemas.ts'
import { ProtocolError } from './protocol-error.ts'
import type { Reader } from './reader.ts'
import { type MessageSchema, parseSchema } from './schema.ts'
import type { Writer } from './writer.ts'

/** What an encoder takes: any field may be left out, its Kafka default is written. */
export type Encodable<T> = T extends Buffer
  ? Uint8Array
  : T extends readonly (infer E)[]
    ? readonly Encodable<E>[]
    : T extends object
      ? { [K in keyof T]?: Encodable<T[K]> | undefined }
      : T

/** Encoder and decoder of one message, built per version when first used. */
export interface MessageCodec<T> {
  readonly name: string
  decode(version: number, reader: Reader): T
  encode(version: number, writer: Writer, message: Encodable<T>): void
}

export function messageCodec<T>(name: string, min: number, max: number): MessageCodec<T> {
  const decoders: ((reader: Reader) => T)[] = []
  const encoders: ((writer: Writer, message: Encodable<T>) => void)[] = []
  let schema: MessageSchema | undefined
  const parsed = (version: number): MessageSchema => {
    if (!Number.isInteger(version) || version < min || version > max) {
      throw new ProtocolError(`${name} has versions ${min} to ${max}, not ${version}`)
    }
    schema ??= parseSchema(schemas[name as keyof typeof schemas])
    return schema
  }
  return {
    name,
    decode(version, reader) {
      const decode = (decoders[version] ??= compileDecoder<T>(parsed(version), version))
      return decode(reader)
    },
    encode(version, writer, message) {
      const encode = (encoders[version] ??= compileEncoder(parsed(version), version, name.endsWith('Request')))
      encode(writer, message)
    },
  }
}
