import { defineConfig, withChanges } from '@millrace/sdk'
import { checkRegex } from './java-regex.ts'
import { defineWhole } from './operating-side.ts'
import { renamer } from './whole-name.ts'

const config = defineConfig({
  regex: {
    type: 'string',
    validate: checkRegex,
    importance: 'high',
    doc: 'Regular expression to use for matching.',
    example: '(.*)\\.public\\.(.*)',
  },
  replacement: { type: 'string', importance: 'high', doc: 'Replacement string.', example: '$1-$2' },
})

/** Renames topics whose whole name matches. */
export default defineWhole(
  'RegexRouter',
  'Update the record topic using the configured regular expression and replacement string.<p/>Under the hood, the ' +
    'regex is compiled to a <code>java.util.regex.Pattern</code>. If the pattern matches the input topic, ' +
    '<code>java.util.regex.Matcher#replaceFirst()</code> is used with the replacement string to obtain the new topic.',
  config,
  ({ regex, replacement }) => {
    const rename = renamer(regex, replacement)
    return {
      apply(record) {
        const topic = rename(record.topic) ?? record.topic
        return topic === record.topic ? record : withChanges(record, { topic })
      },
    }
  },
)
