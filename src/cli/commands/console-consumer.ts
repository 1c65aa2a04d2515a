import type { Command } from 'commander'
import type { Consumer, ConsumerRecord } from '../../client/index.ts'
import { clientOf, keyValues, repeated, type ToolOptions, wholeNumber, withBootstrapServer } from '../kafka-tool.ts'
import { UsageError } from '../usage-error.ts'

interface Options extends ToolOptions {
  readonly topic: string
  readonly group?: string
  readonly fromBeginning?: boolean
  readonly partition?: string
  readonly offset?: string
  readonly maxMessages?: string
  readonly timeoutMs?: string
  readonly isolationLevel: string
  readonly property?: string[]
  readonly formatterProperty?: string[]
}

const POLL_MS = 500

export function define(command: Command): void {
  withBootstrapServer(command)
    .requiredOption('--topic <name>', 'the topic to read')
    .option('--group <id>', 'read as a member of this group, and commit; without it nothing is stored')
    .option('--from-beginning', 'start with the oldest record instead of the next one')
    .option('--partition <n>', 'read this partition only')
    .option('--offset <n>', 'start here: an offset, earliest or latest; needs --partition')
    .option('--max-messages <n>', 'stop after so many records')
    .option('--timeout-ms <ms>', 'stop when no record came for so long')
    .option('--isolation-level <level>', 'read_uncommitted or read_committed', 'read_uncommitted')
    .option('--property <name=value>', 'print.key, print.timestamp, print.partition, ...; may be repeated', repeated)
    .option('--formatter-property <name=value>', 'the same', repeated)
    .action(run)
}

async function run(options: Options): Promise<void> {
  if (options.offset !== undefined && options.partition === undefined)
    throw new UsageError('--offset needs --partition')
  if (options.group !== undefined && options.partition !== undefined) {
    throw new UsageError('--group and --partition exclude each other')
  }
  const consumer = clientOf(options).consumer({
    ...(options.group === undefined ? {} : { groupId: options.group }),
    enableAutoCommit: options.group !== undefined,
    autoOffsetReset: options.fromBeginning === true ? 'earliest' : 'latest',
    isolationLevel: options.isolationLevel === 'read_committed' ? 'read_committed' : 'read_uncommitted',
  })
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  // A reader that goes away, such as `head`, ends the tool quietly.
  process.stdout.once('error', stop)
  let count = 0
  try {
    await start(consumer, options)
    count = await copy(consumer, options, stopped.signal)
  } finally {
    await consumer.close()
    process.stderr.write(`Processed a total of ${count} messages\n`)
  }
}

async function start(consumer: Consumer, options: Options): Promise<void> {
  const { topic } = options
  if (options.group !== undefined) {
    consumer.subscribe([topic])
    return
  }
  const all = (await consumer.partitionsFor(topic)).map(({ partition }) => ({ topic, partition }))
  const wanted = options.partition === undefined ? undefined : wholeNumber('--partition', options.partition, 0)
  const partitions = all.filter(({ partition }) => wanted === undefined || partition === wanted)
  if (partitions.length === 0) throw new UsageError(`${topic} has no partition ${options.partition ?? ''}`)
  consumer.assign(partitions)
  const offset = options.offset ?? (options.fromBeginning === true ? 'earliest' : 'latest')
  if (offset === 'earliest') consumer.seekToBeginning(partitions)
  else if (offset === 'latest') consumer.seekToEnd(partitions)
  else for (const partition of partitions) consumer.seek(partition, wholeNumber('--offset', offset, 0))
}

async function copy(consumer: Consumer, options: Options, signal: AbortSignal): Promise<number> {
  const limit =
    options.maxMessages === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--max-messages', options.maxMessages, 0)
  const patienceMs =
    options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--timeout-ms', options.timeoutMs, 0)
  const format = formatter({ ...keyValues(options.property), ...keyValues(options.formatterProperty) })
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

/** What is printed of a record, with the properties of Kafka's default formatter. */
function formatter(properties: Readonly<Record<string, string>>): (record: ConsumerRecord) => Buffer[] {
  const wants = (name: string) => properties[name] === 'true'
  const separator = Buffer.from((properties['key.separator'] ?? '\t').replaceAll('\\t', '\t'))
  const end = Buffer.from((properties['line.separator'] ?? '\n').replaceAll('\\n', '\n'))
  const nothing = Buffer.from(properties['null.literal'] ?? 'null')
  const withValue = properties['print.value'] !== 'false'
  return (record) => {
    const fields: Buffer[] = []
    if (wants('print.timestamp')) fields.push(Buffer.from(`CreateTime:${record.timestamp}`))
    if (wants('print.partition')) fields.push(Buffer.from(`Partition:${record.partition}`))
    if (wants('print.offset')) fields.push(Buffer.from(`Offset:${record.offset}`))
    if (wants('print.headers')) {
      const text = record.headers.map(
        ({ key, value }) => `${key}:${value === null ? 'null' : Buffer.from(value).toString()}`,
      )
      fields.push(Buffer.from(text.length === 0 ? 'NO_HEADERS' : text.join(',')))
    }
    if (wants('print.key')) fields.push(record.key ?? nothing)
    if (withValue) fields.push(record.value ?? nothing)
    return [...fields.flatMap((field, i) => (i === 0 ? [field] : [separator, field])), end]
  }
}
