import { defineConfig } from '@millrace/sdk'
import { defineWhole } from './operating-side.ts'

/** Drops every record that it is applied to; a predicate decides which. */
export default defineWhole(
  'Filter',
  'Drops all records, filtering them from subsequent transformations in the chain. This is intended to be used ' +
    'conditionally to filter out records matching (or not matching) a particular Predicate.',
  defineConfig({}),
  () => ({ apply: () => null }),
)
