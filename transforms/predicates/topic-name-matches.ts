import { defineConfig, definePredicate, fullMatch } from '@millrace/sdk'
import { checkRegex } from '../java-regex.ts'
import { PACKAGE, VERSION } from '../operating-side.ts'

/** True when the whole name of the topic matches. */
export default definePredicate({
  name: `${PACKAGE}predicates.TopicNameMatches`,
  version: VERSION,
  aliases: ['TopicNameMatches'],
  doc: 'A predicate which is true for records with a topic name that matches the configured regular expression.',
  config: defineConfig({
    pattern: {
      type: 'string',
      nonEmpty: true,
      validate: checkRegex,
      importance: 'medium',
      doc: "A Java regular expression for matching against the name of a record's topic.",
      example: 'orders-.*',
    },
  }),
  create: ({ pattern }) => {
    const matches = fullMatch(pattern)
    return { test: (record) => matches(record.topic) }
  },
})
