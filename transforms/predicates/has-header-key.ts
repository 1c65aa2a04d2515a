import { defineConfig, definePredicate } from '@millrace/sdk'
import { PACKAGE, VERSION } from '../operating-side.ts'

/** True when the record has a header of that name. */
export default definePredicate({
  name: `${PACKAGE}predicates.HasHeaderKey`,
  version: VERSION,
  aliases: ['HasHeaderKey'],
  doc: 'A predicate which is true for records with at least one header with the configured name.',
  config: defineConfig({
    name: { type: 'string', nonEmpty: true, importance: 'medium', doc: 'The header name.', example: 'trace-id' },
  }),
  create: ({ name }) => ({ test: (record) => record.headers.some((header) => header.key === name) }),
})
