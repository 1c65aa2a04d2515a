import type { Command } from 'commander'
import { type Admin, allOrThrow, resourceKey, type TopicDescription } from '../../client/index.ts'
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
}

export function define(command: Command): void {
  withBootstrapServer(command)
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
  const result = await admin.topics.create([
    {
      name,
      ...(partitions === undefined ? {} : { numPartitions: wholeNumber('--partitions', partitions, 1) }),
      ...(replicationFactor === undefined
        ? {}
        : { replicationFactor: wholeNumber('--replication-factor', replicationFactor, 1) }),
      configs: keyValues(options.config),
    },
  ])
  const error = result.get(name)?.error
  if (error?.code === 'TOPIC_ALREADY_EXISTS' && options.ifNotExists === true) return
  if (error !== undefined) throw error
  print(`Created topic ${name}.`)
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
  const topics = allOrThrow(await admin.topics.describe(names))
  const configs = await admin.configs.describe(names.map((name) => ({ type: 'topic', name })))
  for (const topic of topics.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const entries = configs.get(resourceKey({ type: 'topic', name: topic.name }))?.value ?? []
    const set = entries.filter((entry) => entry.source === 'DYNAMIC_TOPIC_CONFIG')
    print(describedTopic(topic, set.map(({ name, value }) => `${name}=${value}`).join(',')))
  }
}

function describedTopic(topic: TopicDescription, configs: string): string {
  const replicationFactor = topic.partitions[0]?.replicas.length ?? 0
  const head = [
    `Topic: ${topic.name}`,
    `TopicId: ${topic.topicId ?? ''}`,
    `PartitionCount: ${topic.partitions.length}`,
    `ReplicationFactor: ${replicationFactor}`,
    `Configs: ${configs}`,
  ].join('\t')
  const lines = topic.partitions.map((partition) =>
    [
      `\tTopic: ${topic.name}`,
      `Partition: ${partition.partition}`,
      `Leader: ${partition.leader < 0 ? 'none' : partition.leader}`,
      `Replicas: ${partition.replicas.join(',')}`,
      `Isr: ${partition.isr.join(',')}`,
    ].join('\t'),
  )
  return [head, ...lines].join('\n')
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
