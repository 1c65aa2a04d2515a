import { defineConfig, inferValue, withChanges } from '@millrace/sdk'
import { defineWhole } from './operating-side.ts'

const config = defineConfig({
  header: { type: 'string', importance: 'high', doc: 'The name of the header.', example: 'origin' },
  'value.literal': {
    type: 'string',
    importance: 'high',
    doc: 'The literal value that is to be set as the header value on all records.',
    example: 'shop',
  },
})

/** Adds a header with a constant; its type is inferred from the text. */
export default defineWhole('InsertHeader', 'Add a header to each record.', config, (options) => {
  const { schema, value } = inferValue(options['value.literal'])
  const header = { key: options.header, schema, value }
  return { apply: (record) => withChanges(record, { headers: [...record.headers, header] }) }
})
