import { compileRegex, defineConfig, withChanges } from '@millrace/sdk'
import { checkRegex, expandReplacement } from './java-regex.ts'
import { defineWhole } from './operating-side.ts'

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
    const { source, flags } = compileRegex(regex)
    const whole = new RegExp(`(?<![^])(?:${source})(?![^])`, flags)
    const first = new RegExp(source, flags)
    // Topics are few and records many.
    const renamed = new Map<string, string>()
    const rename = (topic: string): string => {
      if (!whole.test(topic)) return topic
      return topic.replace(first, (...match: unknown[]) => expandReplacement(replacement, match))
    }
    return {
      apply(record) {
        let topic = renamed.get(record.topic)
        if (topic === undefined) {
          topic = rename(record.topic)
          if (renamed.size >= 10_000) renamed.clear()
          renamed.set(record.topic, topic)
        }
        return topic === record.topic ? record : withChanges(record, { topic })
      },
    }
  },
)
