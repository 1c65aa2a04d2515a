import type { Command } from 'commander'
import {
  type Consumer,
  type ConsumerOptions,
  type ConsumerRecord,
  consumerOptionsFrom,
  type TopicPartition,
} from '../../client/index.ts'
import {
  clientOf,
  clientSettings,
  keyValues,
  knownClass,
  repeated,
  type ToolOptions,
  wholeNumber,
  withAdmin,
  withBootstrapServer,
  withRefused,
} from '../kafka-tool.ts'
import { readPropertiesFile } from '../properties-file.ts'
import { recordFormatter } from '../record-formatter.ts'
import { UsageError } from '../usage-error.ts'

interface Options extends ToolOptions {
  readonly topic?: string
  readonly include?: string
  readonly group?: string
  readonly fromBeginning?: boolean
  readonly partition?: string
  readonly offset?: string
  readonly maxMessages?: string
  readonly timeoutMs?: string
  readonly isolationLevel: string
  readonly property?: string[]
  readonly formatterProperty?: string[]
  readonly formatter?: string
  readonly skipMessageOnError?: boolean
  readonly formatterConfig?: string
  readonly commandProperty?: string[]
  readonly consumerProperty?: string[]
  readonly 'consumer.config'?: string
  readonly keyDeserializer?: string
  readonly valueDeserializer?: string
}

const POLL_MS = 500
const FORMATTERS = ['DefaultMessageFormatter', 'NoOpMessageFormatter'] as const

export function define(command: Command): void {
  withRefused(withBootstrapServer(command), {
    '--enable-systest-events': 'it is for the system tests of Kafka itself',
  })
    .option('--topic <name>', 'the topic to read')
    .option('--include <regex>', 'read all topics that match')
    .option('--group <id>', 'read as a member of this group, and commit; without it nothing is stored')
    .option('--from-beginning', 'start with the oldest record instead of the next one')
    .option('--partition <n>', 'read this partition only')
    .option('--offset <n>', 'start here: an offset, earliest or latest; needs --partition')
    .option('--max-messages <n>', 'stop after so many records')
    .option('--timeout-ms <ms>', 'stop when no record came for so long')
    .option('--isolation-level <level>', 'read_uncommitted or read_committed', 'read_uncommitted')
    .option(
      '--formatter-property <name=value>',
      'print.key, print.value, print.timestamp, print.partition, print.offset, print.epoch, print.headers, key.separator, ' +
        'line.separator, headers.separator, null.literal, key.deserializer, value.deserializer, headers.deserializer; may be repeated',
      repeated,
    )
    .option('--property <name=value>', 'the same', repeated)
    .option(
      '--formatter <class>',
      "Kafka's DefaultMessageFormatter (default), or NoOpMessageFormatter, which prints nothing",
    )
    .option('--skip-message-on-error', 'go on with the next record when one cannot be shown')
    .option('--formatter-config <file>', 'the same, from a .properties file')
    .option('--key-deserializer <class>', "one of Kafka's deserializers, such as LongDeserializer")
    .option('--value-deserializer <class>', "one of Kafka's deserializers, such as LongDeserializer")
    .option('--command-property <name=value>', "a consumer setting of Kafka's names; may be repeated", repeated)
    .option('--consumer-property <name=value>', 'the same', repeated)
    .option('--consumer.config <file>', 'the same as --command-config')
    .action(run)
}

function checkOptions(options: Options): void {
  if ((options.topic === undefined) === (options.include === undefined)) {
    throw new UsageError('give either --topic or --include')
  }
  if (options.include !== undefined && options.partition !== undefined) {
    throw new UsageError('--partition needs --topic')
  }
  if (options.offset !== undefined && options.partition === undefined)
    throw new UsageError('--offset needs --partition')
  if (options.group !== undefined && options.partition !== undefined) {
    throw new UsageError('--group and --partition exclude each other')
  }
  if (!['read_committed', 'read_uncommitted'].includes(options.isolationLevel)) {
    throw new UsageError(`--isolation-level ${options.isolationLevel} must be read_committed or read_uncommitted`)
  }
}

function settingsOf(options: Options): ConsumerOptions {
  const { bootstrapServers: _, ...settings } = clientSettings(
    consumerOptionsFrom,
    options.commandConfig ?? options['consumer.config'],
    [...(options.commandProperty ?? []), ...(options.consumerProperty ?? [])],
  )
  // One partition is read without being a member of anything.
  const groupId = options.partition === undefined ? (options.group ?? settings.groupId) : undefined
  const { groupId: _given, ...others } = settings
  return {
    ...others,
    ...(groupId === undefined ? {} : { groupId }),
    enableAutoCommit: groupId !== undefined && (settings.enableAutoCommit ?? true),
    autoOffsetReset: options.fromBeginning === true ? 'earliest' : (settings.autoOffsetReset ?? 'latest'),
    isolationLevel: options.isolationLevel as 'read_committed' | 'read_uncommitted',
  }
}

/** What is printed of a record; nothing for one that cannot be shown when that is to be passed over. */
function formatterOf(options: Options): (record: ConsumerRecord) => Buffer[] {
  const packages = ['org.apache.kafka.tools.consumer.', 'kafka.tools.']
  const formatter = options.formatter ?? FORMATTERS[0]
  if (knownClass('--formatter', formatter, packages, FORMATTERS) === 'NoOpMessageFormatter') return () => []
  const format = recordFormatter({
    ...(options.keyDeserializer === undefined ? {} : { 'key.deserializer': options.keyDeserializer }),
    ...(options.valueDeserializer === undefined ? {} : { 'value.deserializer': options.valueDeserializer }),
    ...(options.formatterConfig === undefined ? {} : readPropertiesFile(options.formatterConfig)),
    ...keyValues(options.property),
    ...keyValues(options.formatterProperty),
  })
  if (options.skipMessageOnError !== true) return format
  return (record) => {
    try {
      return format(record)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      process.stderr.write(`skipped ${record.topic}-${record.partition} at ${record.offset}: ${why}\n`)
      return []
    }
  }
}

async function run(options: Options): Promise<void> {
  checkOptions(options)
  const format = formatterOf(options)
  const settings = settingsOf(options)
  const consumer = clientOf(options).consumer(settings)
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  // A reader that goes away, such as `head`, ends the tool quietly.
  process.stdout.once('error', stop)
  let count = 0
  try {
    await start(consumer, options, settings)
    count = await copy(consumer, options, format, stopped.signal)
  } finally {
    await consumer.close()
    process.stderr.write(`Processed a total of ${count} messages\n`)
  }
}

async function start(consumer: Consumer, options: Options, settings: ConsumerOptions): Promise<void> {
  if (settings.groupId !== undefined) {
    // A group that is subscribed to a pattern takes in topics that are made later.
    consumer.subscribe(options.topic === undefined ? anchored(options.include ?? '') : [options.topic])
    return
  }
  const names = options.topic === undefined ? await included(options) : [options.topic]
  const wanted = options.partition === undefined ? undefined : wholeNumber('--partition', options.partition, 0)
  const partitions: TopicPartition[] = []
  for (const topic of names) {
    const all = await consumer.partitionsFor(topic)
    for (const { partition } of all)
      if (wanted === undefined || partition === wanted) partitions.push({ topic, partition })
  }
  if (partitions.length === 0) throw missing(options, wanted)
  consumer.assign(partitions)
  const offset = options.offset ?? (options.fromBeginning === true ? 'earliest' : 'latest')
  if (offset === 'earliest') consumer.seekToBeginning(partitions)
  else if (offset === 'latest') consumer.seekToEnd(partitions)
  else for (const partition of partitions) consumer.seek(partition, wholeNumber('--offset', offset, 0))
}

function anchored(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern.replaceAll(',', '|')})$`)
  } catch {
    throw new UsageError(`--include ${pattern} is not a regular expression`)
  }
}

async function included(options: Options): Promise<string[]> {
  const pattern = anchored(options.include ?? '')
  const names: string[] = []
  await withAdmin(options, async (admin) => {
    for (const { name } of await admin.topics.list()) if (pattern.test(name)) names.push(name)
  })
  return names
}

function missing({ topic, include }: Options, partition: number | undefined): UsageError {
  if (topic === undefined) return new UsageError(`no topic matches --include ${include}`)
  if (partition !== undefined) return new UsageError(`there is no partition ${partition} of topic ${topic}`)
  return new UsageError(`topic ${topic} does not exist; create it with: topics --create --topic ${topic}`)
}

async function copy(
  consumer: Consumer,
  options: Options,
  format: (record: ConsumerRecord) => Buffer[],
  signal: AbortSignal,
): Promise<number> {
  const limit =
    options.maxMessages === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--max-messages', options.maxMessages, 0)
  const patienceMs =
    options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--timeout-ms', options.timeoutMs, 0)
  let count = 0
  let lastMs = Date.now()
  while (count < limit && !signal.aborted && Date.now() - lastMs < patienceMs) {
    const records = await pollUnless(consumer, signal)
    if (records.length > 0) lastMs = Date.now()
    const taken = records.slice(0, limit - count)
    count += taken.length
    const more = process.stdout.write(Buffer.concat(taken.flatMap(format)))
    if (!more && !signal.aborted) await drained(signal)
  }
  return count
}

async function pollUnless(consumer: Consumer, signal: AbortSignal): Promise<ConsumerRecord[]> {
  try {
    return await consumer.poll(POLL_MS, { signal })
  } catch (error) {
    if (signal.aborted) return []
    throw error
  }
}

function drained(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.once('drain', () => resolve())
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
