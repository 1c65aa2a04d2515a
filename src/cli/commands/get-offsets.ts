import type { Command } from 'commander'
import { type Admin, allOrThrow } from '../../client/index.ts'
import { matching, print, type ToolOptions, wholeNumber, withAdmin, withBootstrapServer } from '../kafka-tool.ts'
import { UsageError } from '../usage-error.ts'

interface Options extends ToolOptions {
  readonly topic?: string
  readonly partitions?: string
  readonly topicPartitions?: string
  readonly time: string
  readonly excludeInternalTopics?: boolean
}

const TIMES: Readonly<Record<string, number>> = {
  latest: -1,
  earliest: -2,
  'max-timestamp': -3,
  'earliest-local': -4,
  'latest-tiered': -5,
}

export function define(command: Command): void {
  withBootstrapServer(command)
    .option('--topic <name>', 'topics, by name or regular expression; all when left out')
    .option('--partitions <n,...>', 'partitions; all when left out')
    .option(
      '--topic-partitions <topic:partition,...>',
      'topics or regular expressions with partitions: a:0,b:1-3 (3 not), c:2-, d',
    )
    .option('--time <time>', `${Object.keys(TIMES).join(', ')}, -1 to -5 or milliseconds`, 'latest')
    .option('--exclude-internal-topics', 'leave the topics of the broker itself out')
    .action((options: Options) => withAdmin(options, (admin) => run(admin, options)))
}

function timestampOf(text: string): number {
  const timestamp = TIMES[text] ?? Number(text)
  if (Number.isInteger(timestamp) && timestamp >= -5) return timestamp
  throw new UsageError(`--time ${text} is neither milliseconds nor one of ${Object.keys(TIMES).join(', ')}`)
}

type Filter = (topic: string, partition: number) => boolean

/** One element of --topic-partitions: a topic, and a partition, a range without its end, or all. */
function topicPartitionFilter(text: string): Filter {
  const match = /^([^:]*)(?::(?:(\d+)|(\d*)-(\d*)))?$/.exec(text)
  if (match === null) throw new UsageError(`--topic-partitions ${text} is not topic, topic:partition or topic:from-to`)
  const [, topic = '', single, from, to] = match
  const low = Number(single ?? (from || 0))
  const high = single !== undefined ? low + 1 : to ? Number(to) : Number.POSITIVE_INFINITY
  const isTopic = (name: string) => topic === '' || matching([name], topic).length > 0
  return (name, partition) => isTopic(name) && partition >= low && partition < high
}

function filterOf({ topic, partitions, topicPartitions }: Options): Filter {
  if (topicPartitions !== undefined) {
    if (topic !== undefined || partitions !== undefined) {
      throw new UsageError('--topic-partitions excludes --topic and --partitions')
    }
    const filters = topicPartitions.split(',').map((text) => topicPartitionFilter(text))
    return (name, partition) => filters.some((filter) => filter(name, partition))
  }
  const wanted = partitions?.split(',').map((text) => wholeNumber('--partitions', text, 0))
  return (name, partition) => matching([name], topic).length > 0 && (wanted?.includes(partition) ?? true)
}

async function run(admin: Admin, options: Options): Promise<void> {
  const timestamp = timestampOf(options.time)
  const isWanted = filterOf(options)
  const all = await admin.topics.list({ listInternal: options.excludeInternalTopics !== true })
  const topics = allOrThrow(await admin.topics.describe(all.map(({ name }) => name)))
  const queries = topics
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, partitions }) => partitions.map(({ partition }) => ({ topic: name, partition, timestamp })))
    .filter(({ topic, partition }) => isWanted(topic, partition))
  if (queries.length === 0) throw new UsageError('Could not match any topic-partitions with the specified filters')
  const found = await admin.topics.listOffsets(queries)
  for (const [i, { topic, partition }] of queries.entries()) {
    // A time after the last record has no offset; Kafka's tool prints nothing for it.
    const offset = found[i]?.offset ?? -1
    if (offset >= 0) print(`${topic}:${partition}:${offset}`)
  }
}
