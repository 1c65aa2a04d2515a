import { DataError, defineConfig, withChanges } from '@millrace/sdk'
import { defineWhole } from './operating-side.ts'
import { checkDatePattern } from './date-pattern.ts'
import { SimpleDateFormat } from './simple-date-format.ts'

const config = defineConfig({
  'topic.format': {
    type: 'string',
    // oxlint-disable-next-line no-template-curly-in-string
    default: '${topic}-${timestamp}',
    importance: 'high',
    doc:
      'Format string which can contain <code>${topic}</code> and <code>${timestamp}</code> as placeholders for the ' +
      'topic and timestamp, respectively.',
  },
  'timestamp.format': {
    type: 'string',
    default: 'yyyyMMdd',
    validate: checkDatePattern,
    importance: 'high',
    doc: 'Format string for the timestamp that is compatible with <code>java.text.SimpleDateFormat</code>.',
  },
})

/** Puts the time of the record into the name of its topic. */
export default defineWhole(
  'TimestampRouter',
  'Update the record’s topic field as a function of the original topic value and the record timestamp.',
  config,
  ({ 'topic.format': topicFormat, 'timestamp.format': pattern }) => {
    const format = new SimpleDateFormat(pattern)
    return {
      apply(record) {
        if (record.timestamp === null) throw new DataError(`Timestamp missing on record of the topic ${record.topic}`)
        const timestamp = format.format(new Date(record.timestamp))
        const topic = topicFormat.replace(/\$\{(topic|timestamp)\}/g, (_whole, name) =>
          name === 'topic' ? record.topic : timestamp,
        )
        return withChanges(record, { topic })
      },
    }
  },
)
