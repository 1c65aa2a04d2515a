import type { Command } from 'commander'
import {
  type Admin,
  allOrThrow,
  type ConfigEntry,
  type PartitionInfo,
  resourceKey,
  type TopicDescription,
} from '../../client/index.ts'
import {
  exactlyOne,
  keyValues,
  matching,
  print,
  repeated,
  type ToolOptions,
  wholeNumber,
  withAdmin,
  withBootstrapServer,
  withRefused,
} from '../kafka-tool.ts'
import { UsageError } from '../usage-error.ts'

interface Options extends ToolOptions {
  readonly create?: boolean
  readonly list?: boolean
  readonly describe?: boolean
  readonly alter?: boolean
  readonly delete?: boolean
  readonly topic?: string
  readonly partitions?: string
  readonly replicationFactor?: string
  readonly config?: string[]
  readonly ifExists?: boolean
  readonly ifNotExists?: boolean
  readonly excludeInternal?: boolean
  readonly topicId?: string
  readonly replicaAssignment?: string
  readonly topicsWithOverrides?: boolean
  readonly unavailablePartitions?: boolean
  readonly underReplicatedPartitions?: boolean
  readonly atMinIsrPartitions?: boolean
  readonly underMinIsrPartitions?: boolean
}

type Entries = readonly ConfigEntry[]

/** Options of Kafka's tool that mean nothing here. */
const REFUSED = {
  '--partition-size-limit-per-response': 'descriptions are not paged',
  '--delete-config': 'use configs --alter --delete-config',
}

export function define(command: Command): void {
  withRefused(withBootstrapServer(command), REFUSED)
    .option('--create', 'create a topic')
    .option('--list', 'list topics')
    .option('--describe', 'show partitions and configurations')
    .option('--alter', 'raise the number of partitions')
    .option('--delete', 'delete topics')
    .option('--topic <name>', 'the topic; a regular expression except with --create')
    .option('--partitions <n>', 'number of partitions')
    .option('--replication-factor <n>', 'replicas of each partition')
    .option('--config <name=value>', 'a configuration of the new topic; may be repeated', repeated)
    .option('--if-exists', 'do nothing when there is no such topic')
    .option('--if-not-exists', 'do nothing when the topic exists')
    .option('--exclude-internal', 'leave the topics of the broker itself out')
    .option('--topic-id <id>', 'with --describe: the topic with this id')
    .option('--replica-assignment <broker,...>', 'with --create: the broker of each partition')
    .option('--topics-with-overrides', 'with --describe: only topics with configurations of their own')
    .option('--unavailable-partitions', 'with --describe: only partitions without a leader')
    .option('--under-replicated-partitions', 'with --describe: only partitions that miss replicas')
    .option('--at-min-isr-partitions', 'with --describe: only partitions with just min.insync.replicas in sync')
    .option('--under-min-isr-partitions', 'with --describe: only partitions with fewer than that')
    .action((options: Options) => withAdmin(options, (admin) => run(admin, options)))
}

async function run(admin: Admin, options: Options): Promise<void> {
  switch (exactlyOne(options, ['create', 'list', 'describe', 'alter', 'delete'])) {
    case 'create':
      return create(admin, options)
    case 'list':
      return list(admin, options)
    case 'describe':
      return describe(admin, options)
    case 'alter':
      return alter(admin, options)
    case 'delete':
      return remove(admin, options)
  }
}

function required(topic: string | undefined): string {
  if (topic === undefined) throw new UsageError('--topic is missing')
  return topic
}

async function create(admin: Admin, options: Options): Promise<void> {
  const name = required(options.topic)
  const { partitions, replicationFactor } = options
  if (/[._]/.test(name)) {
    process.stderr.write(
      "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid issues it is best to use either, but not both.\n",
    )
  }
  const result = await admin.topics.create([
    {
      name,
      ...(partitions === undefined ? {} : { numPartitions: wholeNumber('--partitions', partitions, 1) }),
      ...(replicationFactor === undefined
        ? {}
        : { replicationFactor: wholeNumber('--replication-factor', replicationFactor, 1) }),
      ...(options.replicaAssignment === undefined
        ? {}
        : { replicaAssignments: assignments(options.replicaAssignment) }),
      configs: keyValues(options.config),
    },
  ])
  const error = result.get(name)?.error
  if (error?.code === 'TOPIC_ALREADY_EXISTS' && options.ifNotExists === true) return
  if (error !== undefined) throw error
  print(`Created topic ${name}.`)
}

/** `1:2,2:3`: the brokers of partition 0, then those of partition 1. */
function assignments(text: string): { partition: number; brokers: number[] }[] {
  return text.split(',').map((brokers, partition) => ({
    partition,
    brokers: brokers.split(':').map((id) => wholeNumber('--replica-assignment', id, 0)),
  }))
}

/** The topics an option means; none is an error unless that was allowed. */
async function chosen(admin: Admin, options: Options): Promise<string[]> {
  const all = await admin.topics.list({ listInternal: options.excludeInternal !== true })
  const names = matching(
    all.map(({ name }) => name),
    options.topic,
  )
  if (names.length === 0 && options.topic !== undefined && options.ifExists !== true && options.list !== true) {
    throw new UsageError(`Topic '${options.topic}' does not exist as expected`)
  }
  return names
}

async function list(admin: Admin, options: Options): Promise<void> {
  for (const name of await chosen(admin, options)) print(name)
}

async function describe(admin: Admin, options: Options): Promise<void> {
  const names = await chosen(admin, options)
  if (names.length === 0) return
  const all = allOrThrow(await admin.topics.describe(names))
  const topics = options.topicId === undefined ? all : all.filter(({ topicId }) => topicId === options.topicId)
  if (topics.length === 0) throw new UsageError(`TopicId '${options.topicId}' does not exist as expected`)
  const configs = await admin.configs.describe(topics.map(({ name }) => ({ type: 'topic', name })))
  for (const topic of topics.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const entries = configs.get(resourceKey({ type: 'topic', name: topic.name }))?.value ?? []
    if (options.topicsWithOverrides === true) {
      if (entries.some(isOverride)) print(describedHead(topic, entries))
      continue
    }
    const filtered = topic.partitions.filter((partition) => isAskedFor(partition, entries, options))
    const isFiltered = FILTERS.some((filter) => options[filter] === true)
    if (!isFiltered) print(describedHead(topic, entries))
    for (const partition of filtered) print(describedPartition(topic, partition))
  }
}

const FILTERS = [
  'unavailablePartitions',
  'underReplicatedPartitions',
  'atMinIsrPartitions',
  'underMinIsrPartitions',
] as const

function isAskedFor({ leader, isr, replicas }: PartitionInfo, entries: Entries, options: Options): boolean {
  const minIsr = Number(entries.find(({ name }) => name === 'min.insync.replicas')?.value ?? 1)
  if (options.unavailablePartitions === true) return leader < 0
  if (options.underReplicatedPartitions === true) return isr.length < replicas.length
  if (options.atMinIsrPartitions === true) return isr.length === minIsr
  if (options.underMinIsrPartitions === true) return isr.length < minIsr
  return true
}

function isOverride(entry: ConfigEntry): boolean {
  return entry.source === 'DYNAMIC_TOPIC_CONFIG'
}

/** As Kafka's tool: everything that is not a default, the settings of the broker's file too. */
function describedHead(topic: TopicDescription, entries: Entries): string {
  const configs = entries.filter((entry) => entry.source !== 'DEFAULT_CONFIG')
  return [
    `Topic: ${topic.name}`,
    `TopicId: ${topic.topicId ?? ''}`,
    `PartitionCount: ${topic.partitions.length}`,
    `ReplicationFactor: ${topic.partitions[0]?.replicas.length ?? 0}`,
    `Configs: ${configs.map(({ name, value }) => `${name}=${value}`).join(',')}`,
  ].join('\t')
}

/** The replicas that Kafka lists as eligible leaders are always none here, but its readers count the columns. */
function describedPartition(topic: TopicDescription, { partition, leader, replicas, isr }: PartitionInfo): string {
  return [
    `\tTopic: ${topic.name}`,
    `Partition: ${partition}`,
    `Leader: ${leader < 0 ? 'none' : leader}`,
    `Replicas: ${replicas.join(',')}`,
    `Isr: ${isr.join(',')}`,
    'Elr: ',
    'LastKnownElr: ',
  ].join('\t')
}

async function alter(admin: Admin, options: Options): Promise<void> {
  required(options.topic)
  if (options.partitions === undefined) throw new UsageError('--partitions is missing')
  const count = wholeNumber('--partitions', options.partitions, 1)
  const names = await chosen(admin, options)
  allOrThrow(await admin.topics.createPartitions(Object.fromEntries(names.map((name) => [name, count]))))
}

async function remove(admin: Admin, options: Options): Promise<void> {
  required(options.topic)
  allOrThrow(await admin.topics.delete(await chosen(admin, options)))
}
