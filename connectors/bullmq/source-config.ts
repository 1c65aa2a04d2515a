import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { redisConnectionConfig } from '../_shared/redis/index.ts'

type All = Readonly<Record<string, unknown>>

export const JOB_STATES = ['waiting', 'prioritized', 'active', 'delayed', 'completed', 'failed'] as const
export type JobState = (typeof JOB_STATES)[number]

const queueKeys = {
  'queue.name': {
    type: 'list',
    nonEmpty: true,
    unique: true,
    importance: 'high',
    doc: 'The queues to read, separated by commas. They are spread over the tasks.',
    validate: (names: readonly string[]) =>
      names.some((name) => name.includes(':')) ? 'may not contain colons, which BullMQ needs itself' : undefined,
    example: 'emails',
    group: 'Queue',
  },
  prefix: {
    type: 'string',
    default: 'bull',
    nonEmpty: true,
    importance: 'medium',
    doc: "What stands before all keys of BullMQ in Redis: the `prefix` of the queue's users.",
    group: 'Queue',
  },
  mode: {
    type: 'string',
    default: 'consume',
    oneOf: ['consume', 'events', 'snapshot'],
    importance: 'high',
    doc:
      'consume: takes jobs as a worker does, and completes each when its record is in the log. events: what happens to ' +
      'jobs, without taking any. snapshot: the jobs of snapshot.states once, then the task is finished.',
    group: 'Queue',
  },
  topic: {
    type: 'string',
    default: '${queue}',
    nonEmpty: true,
    importance: 'high',
    doc: 'The topic; ${queue} is the name of the queue.',
    group: 'Queue',
  },
  'batch.size': {
    type: 'int',
    default: 100,
    min: 1,
    max: 10_000,
    importance: 'medium',
    doc: 'The most jobs or events in one poll.',
    group: 'Queue',
  },
} as const satisfies ConfigDef

const modeKeys = {
  'lock.duration.ms': {
    type: 'long',
    default: 30_000,
    min: 1000,
    importance: 'medium',
    doc:
      'mode=consume: how long a job is ours before another worker may have it; it is extended while the record is on its ' +
      'way. After a crash jobs come back this late.',
    group: 'Consume',
  },
  'max.in.flight.jobs': {
    type: 'int',
    default: 1000,
    min: 1,
    importance: 'medium',
    doc: 'mode=consume: no more jobs are taken while so many are not completed.',
    group: 'Consume',
  },
  'events.offset': {
    type: 'string',
    default: '0-0',
    importance: 'medium',
    doc: 'mode=events: where to begin without a committed offset: 0-0 is the oldest event that Redis has, $ only new ones.',
    validate: (offset: string) =>
      /^(\$|\d+(-\d+)?)$/.test(offset)
        ? undefined
        : 'is no id of an event; write 0-0, $ or an id such as 1700000000000-0',
    group: 'Events',
  },
  'snapshot.states': {
    type: 'list',
    default: ['completed', 'failed'] as readonly string[],
    oneOf: JOB_STATES,
    unique: true,
    importance: 'medium',
    doc: 'mode=snapshot: the jobs in these states are read.',
    validate: (states: readonly string[], all: All) =>
      states.length === 0 && all['mode'] === 'snapshot' ? 'may not be empty with mode=snapshot' : undefined,
    group: 'Snapshot',
  },
} as const satisfies ConfigDef

/** The configuration of the BullMQ source. */
export const sourceConfig = defineConfig({ ...queueKeys, ...modeKeys, ...redisConnectionConfig })

export type BullmqSourceConfig = Parsed<typeof sourceConfig>
