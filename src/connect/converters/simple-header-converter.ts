import { defineConfig, defineHeaderConverter, inferValue } from '@millrace/sdk'
import { headerText } from './header/header-text.ts'

/** Kafka Connect's SimpleHeaderConverter: values as text; when read, types are inferred from the text. */
export default defineHeaderConverter({
  name: 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
  version: '4.3.1',
  aliases: ['SimpleHeaderConverter', 'Simple'],
  doc: 'Writes header values as text, and infers schemas from the text of the headers it reads.',
  config: defineConfig({}),
  createHeader: () => ({
    fromConnectHeader(_topic, _key, schema, value) {
      return value === null || value === undefined ? null : Buffer.from(headerText(schema, value))
    },
    toConnectHeader(_topic, _key, bytes) {
      if (bytes === null) return { schema: null, value: null }
      return inferValue(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
    },
  }),
})
