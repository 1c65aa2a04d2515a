import {
  ConfigError,
  type Converter,
  defineConfig,
  defineConverter,
  type HeaderConverter,
  type SchemaAndValue,
  schemas,
  valueToString,
} from '@millrace/sdk'

const ENCODINGS: Readonly<Record<string, BufferEncoding>> = {
  'utf-8': 'utf8',
  utf8: 'utf8',
  'iso-8859-1': 'latin1',
  latin1: 'latin1',
  'us-ascii': 'latin1',
  ascii: 'latin1',
  'utf-16le': 'utf16le',
}

const config = defineConfig({
  'converter.encoding': {
    type: 'string',
    default: 'UTF-8',
    importance: 'high',
    doc: 'The name of the character set to use for encoding/decoding the strings as byte arrays.',
    example: 'UTF-8',
    validate: (name: string) =>
      name.toLowerCase() in ENCODINGS ? undefined : `Unknown encoding; use one of ${Object.keys(ENCODINGS).join(', ')}`,
  },
})

/** Records without keys are common. */
const NULL: SchemaAndValue = { schema: schemas.optional.string, value: null }

function create(name: string): Converter {
  const encoding = ENCODINGS[name.toLowerCase()]
  if (!encoding) throw new ConfigError(`Invalid encoding ${name}`, { key: 'converter.encoding' })
  return {
    fromConnectData(_topic, schema, value) {
      if (value === null || value === undefined) return null
      return Buffer.from(typeof value === 'string' ? value : valueToString(schema, value), encoding)
    },
    toConnectData(_topic, bytes) {
      if (bytes === null) return NULL
      // Bytes of the log are views already, and another view costs as much as the text.
      const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      return { schema: schemas.optional.string, value: buffer.toString(encoding) }
    },
  }
}

function createHeader(name: string): HeaderConverter {
  const converter = create(name)
  return {
    fromConnectHeader: (topic, _key, schema, value) => converter.fromConnectData(topic, schema, value),
    toConnectHeader: (topic, _key, bytes) => converter.toConnectData(topic, bytes),
  }
}

/** Kafka Connect's StringConverter: the string form of a value. */
export default defineConverter({
  name: 'org.apache.kafka.connect.storage.StringConverter',
  version: '4.3.1',
  aliases: ['StringConverter', 'String'],
  doc: 'Writes the string form of a value, and reads optional strings.',
  config,
  create: (options) => create(options['converter.encoding']),
  createHeader: (options) => createHeader(options['converter.encoding']),
})
