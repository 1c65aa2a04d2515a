import { defineConfig } from '@millrace/sdk'

/** The options: types, validation, documentation and the table in the README all follow from this. */
export const config = defineConfig({
  'pairs.max': {
    type: 'int',
    default: 1000,
    min: 1,
    importance: 'low',
    doc: 'A line with more pairs than this is refused.',
  },
})
