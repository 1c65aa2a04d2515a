import { defineConfig, withChanges } from '@millrace/sdk'
import { defineWhole } from './operating-side.ts'

const config = defineConfig({
  headers: {
    type: 'list',
    nonEmpty: true,
    unique: true,
    importance: 'high',
    doc: 'The name of the headers to be removed.',
    example: 'trace-id',
  },
})

/** Removes headers by name. */
export default defineWhole('DropHeaders', 'Removes one or more headers from each record.', config, ({ headers }) => {
  const dropped = new Set(headers)
  return {
    apply: (record) => withChanges(record, { headers: record.headers.filter((header) => !dropped.has(header.key)) }),
  }
})
