import { type Converter, DataError, defineConfig, defineConverter, schemas } from '@millrace/sdk'

const converter: Converter = {
  fromConnectData(_topic, schema, value) {
    if (schema !== null && schema.type !== 'BYTES') {
      throw new DataError(`Invalid schema type for ByteArrayConverter: ${schema.type}`)
    }
    if (value === null || value === undefined) return null
    if (value instanceof Uint8Array) return value
    throw new DataError(`ByteArrayConverter is not compatible with objects of type ${typeof value}`)
  },
  toConnectData: (_topic, bytes) => ({ schema: schemas.optional.bytes, value: bytes }),
}

/** Kafka Connect's ByteArrayConverter: bytes as they are. */
export default defineConverter({
  name: 'org.apache.kafka.connect.converters.ByteArrayConverter',
  version: '4.3.1',
  aliases: ['ByteArrayConverter', 'ByteArray'],
  doc: 'Passes bytes through unchanged; anything else is refused.',
  config: defineConfig({}),
  create: () => converter,
  createHeader: () => ({
    fromConnectHeader: (topic, _key, schema, value) => converter.fromConnectData(topic, schema, value),
    toConnectHeader: (topic, _key, bytes) => converter.toConnectData(topic, bytes),
  }),
})
