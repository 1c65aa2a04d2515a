import { defineConfig, definePredicate } from '@millrace/sdk'
import { PACKAGE, VERSION } from '../operating-side.ts'

/** True when the value is null. */
export default definePredicate({
  name: `${PACKAGE}predicates.RecordIsTombstone`,
  version: VERSION,
  aliases: ['RecordIsTombstone'],
  doc: 'A predicate which is true for records which are tombstones (i.e. have null value).',
  config: defineConfig({}),
  create: () => ({ test: (record) => record.value === null || record.value === undefined }),
})
