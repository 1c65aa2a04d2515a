import avro from 'avsc'
import type { AvroSchema } from './avro-schema.ts'

/** 64-bit integers as bigint: a number cannot hold them all. */
const longType = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
})

/** Compiles a schema for reading; values of unions are plain where there is no doubt which branch they are of. */
export function avroType(schema: AvroSchema): avro.Type {
  return avro.Type.forSchema(schema as avro.Schema, {
    registry: { long: longType },
    // With a logical type the name is not looked up.
    typeHook: (node) => ((node as { type?: unknown }).type === 'long' ? longType : undefined),
    wrapUnions: 'auto',
  })
}
