import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { redisConnectionConfig } from '../_shared/redis/index.ts'

const jobKeys = {
  'queue.name': {
    type: 'string',
    default: '${topic}',
    nonEmpty: true,
    importance: 'high',
    doc: 'The queue that gets the jobs; ${topic} is the topic.',
    validate: (name: string) => (name.includes(':') ? 'may not contain a colon, which BullMQ needs itself' : undefined),
    group: 'Job',
  },
  prefix: {
    type: 'string',
    default: 'bull',
    nonEmpty: true,
    importance: 'medium',
    doc: "What stands before all keys of BullMQ in Redis: the `prefix` of the queue's users.",
    group: 'Job',
  },
  'job.name': {
    type: 'string',
    default: '${topic}',
    nonEmpty: true,
    importance: 'medium',
    doc: 'The name of the jobs: text in which ${topic} is the topic, field:path of the value, or header:name.',
    example: 'field:type',
    group: 'Job',
  },
  'job.data': {
    type: 'string',
    default: 'value',
    oneOf: ['value', 'envelope'],
    importance: 'medium',
    doc: 'The data of the jobs: the value, or an object with topic, partition, offset, timestamp, key, headers and value.',
    group: 'Job',
  },
  'job.id': {
    type: 'string',
    default: '${topic}-${partition}-${offset}',
    importance: 'high',
    doc:
      'The ids of the jobs: text in which ${topic}, ${partition} and ${offset} stand for the place of the record, key, ' +
      'field:path of the value, header:name, or none for numbers given by BullMQ. BullMQ ignores a job whose id exists, ' +
      'so all but none make repetitions harmless as long as jobs are kept.',
    validate: (id: string) => {
      if (id === 'none' || id === 'key' || /^(field|header):./.test(id)) return undefined
      if (id.includes(':')) return 'may not contain a colon; BullMQ refuses such ids'
      return id.includes('${offset}') && id.includes('${partition}')
        ? undefined
        : 'has to contain ${partition} and ${offset}, or different records would get one id; or take key, field:path, header:name or none'
    },
    group: 'Job',
  },
  'job.id.prefix': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Stands before an id that is taken from a record. BullMQ refuses ids of digits alone; a prefix makes them legal.',
    validate: (prefix: string) =>
      prefix.includes(':') ? 'may not contain a colon; BullMQ refuses such ids' : undefined,
    example: 'order-',
    group: 'Job',
  },
  'tombstone.behavior': {
    type: 'string',
    default: 'ignore',
    oneOf: ['ignore', 'remove', 'fail'],
    importance: 'medium',
    doc:
      'What a record without a value does: nothing, removes the job of its key (needs job.id=key), or counts as a record ' +
      'that cannot be written.',
    validate: (behavior: string, all: Readonly<Record<string, unknown>>) =>
      behavior === 'remove' && all['job.id'] !== 'key' ? 'remove needs job.id=key, which names the job' : undefined,
    group: 'Job',
  },
} as const satisfies ConfigDef

const option = (doc: string, example: string) =>
  ({
    type: 'string',
    default: '',
    importance: 'medium',
    doc: `${doc} A constant, field:path of the value, or header:name; empty leaves it to BullMQ.`,
    example,
    group: 'Options of jobs',
  }) as const

const optionKeys = {
  'job.opts.delay': option('Milliseconds until a job may be processed.', 'field:delayMs'),
  'job.opts.priority': option(
    'From 1, which goes first, to 2097152; without one a job goes before all that have one.',
    '10',
  ),
  'job.opts.attempts': option('How often a job is tried.', '3'),
  'job.opts.backoff.type': option('fixed, exponential, or the name of a strategy of the workers.', 'exponential'),
  'job.opts.backoff.delay': option('Milliseconds between tries.', '1000'),
  'job.opts.removeOnComplete': option('true, false, or how many completed jobs are kept.', '1000'),
  'job.opts.removeOnFail': option('true, false, or how many failed jobs are kept.', '5000'),
  'job.opts.lifo': option('Whether a job goes to the front of the queue: true or false.', 'false'),
  'deduplication.id': option('While a job with this id is there, others with it are left out.', 'field:customer'),
  'deduplication.ttl': option('For how many milliseconds the deduplication holds.', '5000'),
} as const satisfies ConfigDef

const writeKeys = {
  'batch.size': {
    type: 'int',
    default: 500,
    min: 1,
    max: 10_000,
    importance: 'medium',
    doc: 'The most jobs in one addBulk.',
    group: 'Writes',
  },
  'linger.ms': {
    type: 'int',
    default: 5,
    min: 0,
    importance: 'low',
    doc: 'How long a record waits for company, in milliseconds.',
    group: 'Writes',
  },
  'max.retries': {
    type: 'int',
    default: 60,
    min: 0,
    importance: 'medium',
    doc: 'How often a request is tried again before the task fails.',
    group: 'Writes',
  },
  'retry.backoff.ms': {
    type: 'long',
    default: 100,
    min: 0,
    importance: 'medium',
    doc: 'The wait before the first retry; it doubles up to 5 seconds.',
    group: 'Writes',
  },
} as const satisfies ConfigDef

/** The configuration of the BullMQ sink. */
export const sinkConfig = defineConfig({ ...jobKeys, ...optionKeys, ...writeKeys, ...redisConnectionConfig })

export type BullmqSinkConfig = Parsed<typeof sinkConfig>
