import { compileRegex, defineConfig } from '@millrace/sdk'
import { commonConnectorConfig } from './common-config.ts'
import { runtimeConnectorConfig } from '../worker/runtime-config.ts'

function checkRegex(pattern: string): string | undefined {
  try {
    compileRegex(pattern)
    return undefined
  } catch (error) {
    return `Invalid regex: ${(error as Error).message}`
  }
}

/** What the framework reads of a sink connector's configuration. */
export const sinkConnectorConfig = defineConfig({
  ...commonConnectorConfig,
  topics: {
    type: 'list',
    default: [],
    unique: true,
    importance: 'high',
    doc: 'List of topics to consume, separated by commas',
    group: 'Common',
    order: 4,
    width: 'long',
    displayName: 'Topics',
  },
  'topics.regex': {
    type: 'string',
    default: '',
    validate: checkRegex,
    importance: 'high',
    doc:
      'Regular expression giving topics to consume. Under the hood, the regex is compiled to a ' +
      '<code>java.util.regex.Pattern</code>. Only one of topics or topics.regex should be specified.',
    group: 'Common',
    order: 4,
    width: 'long',
    displayName: 'Topics regex',
  },
  'errors.deadletterqueue.topic.name': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc:
      'The name of the topic to be used as the dead letter queue (DLQ) for messages that result in an error ' +
      'when processed by this sink connector, or its transformations or converters. The topic name is blank ' +
      'by default, which means that no messages are to be recorded in the DLQ.',
    group: 'Error Handling',
    order: 6,
    width: 'medium',
    displayName: 'Dead Letter Queue Topic Name',
  },
  'errors.deadletterqueue.topic.replication.factor': {
    type: 'short',
    default: 3,
    importance: 'medium',
    doc: "Replication factor used to create the dead letter queue topic when it doesn't already exist.",
    group: 'Error Handling',
    order: 7,
    width: 'medium',
    displayName: 'Dead Letter Queue Topic Replication Factor',
  },
  'errors.deadletterqueue.context.headers.enable': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc:
      'If true, add headers containing error context to the messages written to the dead letter queue. To ' +
      'avoid clashing with headers from the original record, all error context header keys, all error ' +
      'context header keys will start with <code>__connect.errors.</code>',
    group: 'Error Handling',
    order: 8,
    width: 'medium',
    displayName: 'Enable Error Context Headers',
  },
  // Millrace's own keys come last, so that what Kafka's clients know stays where it is.
  ...runtimeConnectorConfig,
})
