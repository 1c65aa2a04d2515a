import {
  type Converter,
  type ConverterDefinition,
  DataError,
  defineConfig,
  defineConverter,
  type Schema,
  schemas,
  withOptions,
} from '@millrace/sdk'

/** How one type is written: a fixed number of bytes, big-endian. */
interface Layout {
  readonly name: string
  readonly schema: Schema
  readonly size: number
  readonly fits: (value: unknown) => boolean
  readonly write: (bytes: Buffer, value: never) => void
  readonly read: (bytes: Buffer) => unknown
}

function integerFits(bound: number): (value: unknown) => boolean {
  return (value) => typeof value === 'number' && Number.isInteger(value) && value < bound && value >= -bound
}

const isNumber = (value: unknown): boolean => typeof value === 'number'

const LAYOUTS: readonly Layout[] = [
  {
    name: 'Short',
    schema: schemas.int16,
    size: 2,
    fits: integerFits(2 ** 15),
    write: (bytes, value: number) => bytes.writeInt16BE(value),
    read: (bytes) => bytes.readInt16BE(),
  },
  {
    name: 'Integer',
    schema: schemas.int32,
    size: 4,
    fits: integerFits(2 ** 31),
    write: (bytes, value: number) => bytes.writeInt32BE(value),
    read: (bytes) => bytes.readInt32BE(),
  },
  {
    name: 'Long',
    schema: schemas.int64,
    size: 8,
    fits: (value) => (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) || Number.isSafeInteger(value),
    write: (bytes, value: bigint | number) => bytes.writeBigInt64BE(BigInt(value)),
    read: (bytes) => bytes.readBigInt64BE(),
  },
  {
    name: 'Float',
    schema: schemas.float32,
    size: 4,
    fits: isNumber,
    write: (bytes, value: number) => bytes.writeFloatBE(value),
    read: (bytes) => bytes.readFloatBE(),
  },
  {
    name: 'Double',
    schema: schemas.float64,
    size: 8,
    fits: isNumber,
    write: (bytes, value: number) => bytes.writeDoubleBE(value),
    read: (bytes) => bytes.readDoubleBE(),
  },
  {
    name: 'Boolean',
    schema: schemas.boolean,
    size: 1,
    fits: (value) => typeof value === 'boolean',
    write: (bytes, value: boolean) => bytes.writeUInt8(value ? 1 : 0),
    read: (bytes) => {
      const byte = bytes[0]
      if (byte === 0 || byte === 1) return byte === 1
      throw new DataError('Failed to deserialize boolean: the byte is neither 0 nor 1')
    },
  },
]

function converterOf({ name, schema, size, fits, write, read }: Layout): Converter {
  const optional = withOptions(schema, { optional: true })
  const word = name.toLowerCase()
  return {
    fromConnectData(_topic, given, value) {
      if (given !== null && given.type !== schema.type) {
        throw new DataError(`Invalid schema type for ${name}Converter: ${given.type}`)
      }
      if (value === null || value === undefined) return null
      if (!fits(value)) throw new DataError(`Failed to serialize to ${word}: a ${typeof value} does not fit`)
      const bytes = Buffer.alloc(size)
      write(bytes, value as never)
      return bytes
    },
    toConnectData(_topic, bytes) {
      if (bytes === null) return { schema: optional, value: null }
      if (bytes.length !== size) {
        throw new DataError(`Failed to deserialize ${word}: ${bytes.length} bytes received, ${size} expected`)
      }
      return { schema: optional, value: read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) }
    },
  }
}

/** Kafka Connect's converters of single numbers and booleans, by the word in their class names. */
export const numberConverters: ReadonlyMap<string, ConverterDefinition<Record<string, never>>> = new Map(
  LAYOUTS.map((layout) => {
    const converter = converterOf(layout)
    const definition = defineConverter({
      name: `org.apache.kafka.connect.converters.${layout.name}Converter`,
      version: '4.3.1',
      aliases: [`${layout.name}Converter`, layout.name],
      doc: `Writes ${layout.schema.type} as ${layout.size} bytes, big-endian, and reads them as optional ${layout.schema.type}.`,
      config: defineConfig({}),
      create: () => converter,
      createHeader: () => ({
        fromConnectHeader: (topic, _key, schema, value) => converter.fromConnectData(topic, schema, value),
        toConnectHeader: (topic, _key, bytes) => converter.toConnectData(topic, bytes),
      }),
    })
    return [layout.name, definition]
  }),
)
