import { defineConfig } from '@millrace/sdk'

/** The options of DatagenSource. */
export const datagenConfig = defineConfig({
  'kafka.topic': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'Topic to write to',
    example: 'orders',
  },
  quickstart: {
    type: 'string',
    oneOf: ['users', 'orders', 'pageviews', 'stock_trades', 'ratings', 'transactions', 'inventory'],
    ignoreCase: true,
    importance: 'high',
    doc: 'Name of the sample data to generate',
  },
  'max.interval': {
    type: 'long',
    default: 500,
    importance: 'high',
    doc: 'Max interval between messages (ms); the pause is random up to it. 0 or less generates as fast as it can',
  },
  iterations: {
    type: 'long',
    default: -1,
    importance: 'high',
    doc: 'Number of messages to send from each task, or less than 1 for unlimited. The task is finished after them',
  },
  'random.seed': {
    type: 'long',
    default: null,
    aliases: ['seed'],
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    importance: 'low',
    doc: 'The same seed gives the same messages. Without it one is drawn, and kept with the offsets',
    example: '42',
  },
  'schema.keyfield': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'The field of the value that is the key; the usual one of the sample data if it is not set',
    example: 'userid',
  },
})
