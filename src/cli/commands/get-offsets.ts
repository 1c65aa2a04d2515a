import type { Command } from 'commander'
import { type Admin, allOrThrow } from '../../client/index.ts'
import { matching, print, type ToolOptions, withAdmin, withBootstrapServer } from '../kafka-tool.ts'
import { UsageError } from '../usage-error.ts'

interface Options extends ToolOptions {
  readonly topic?: string
  readonly partitions?: string
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
    .option('--time <time>', 'latest, earliest, max-timestamp or milliseconds', 'latest')
    .option('--exclude-internal-topics', 'leave the topics of the broker itself out')
    .action((options: Options) => withAdmin(options, (admin) => run(admin, options)))
}

function timestampOf(text: string): number {
  const timestamp = TIMES[text] ?? Number(text)
  if (Number.isInteger(timestamp) && timestamp >= -5) return timestamp
  throw new UsageError(`--time ${text} is neither milliseconds nor one of ${Object.keys(TIMES).join(', ')}`)
}

async function run(admin: Admin, options: Options): Promise<void> {
  const timestamp = timestampOf(options.time)
  const all = await admin.topics.list({ listInternal: options.excludeInternalTopics !== true })
  const names = matching(
    all.map(({ name }) => name),
    options.topic,
  )
  if (names.length === 0) throw new UsageError(`no topic matches ${options.topic ?? 'anything'}`)
  const wanted = options.partitions?.split(',').map(Number)
  const topics = allOrThrow(await admin.topics.describe(names)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const queries = topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ partition }) => wanted?.includes(partition) ?? true)
      .map(({ partition }) => ({ topic: name, partition, timestamp })),
  )
  const found = await admin.topics.listOffsets(queries)
  for (const [i, { topic, partition }] of queries.entries()) {
    // A time after the last record has no offset; Kafka's tool prints nothing for it.
    const offset = found[i]?.offset ?? -1
    if (offset >= 0) print(`${topic}:${partition}:${offset}`)
  }
}
