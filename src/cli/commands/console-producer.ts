import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import {
  KafkaError,
  type Producer,
  type ProducerBatch,
  type ProducerOptions,
  producerOptionsFrom,
} from '../../client/index.ts'
import { CODECS } from '../../record/index.ts'
import {
  clientOf,
  clientSettings,
  keyValues,
  knownClass,
  repeated,
  type ToolOptions,
  wholeNumber,
  withBootstrapServer,
  withRefused,
} from '../kafka-tool.ts'
import { lineParser } from '../line-parser.ts'
import { readPropertiesFile } from '../properties-file.ts'
import { UsageError } from '../usage-error.ts'

interface Options extends ToolOptions {
  readonly topic: string
  readonly requestRequiredAcks?: string
  readonly acks?: string
  readonly compressionCodec?: string | true
  readonly batchSize?: string
  readonly timeout?: string
  readonly maxPartitionMemoryBytes?: string
  readonly retryBackoffMs?: string
  readonly metadataExpiryMs?: string
  readonly lineReader?: string
  readonly maxBlockMs?: string
  readonly maxMemoryBytes?: string
  readonly requestTimeoutMs?: string
  readonly sync?: boolean
  readonly property?: string[]
  readonly readerProperty?: string[]
  readonly readerConfig?: string
  readonly commandProperty?: string[]
  readonly producerProperty?: string[]
  readonly 'producer.config'?: string
}

const HINT_AFTER_MS = 1000
const REFUSED = {
  '--message-send-max-retries':
    'lines are sent again until delivery.timeout.ms is over; set that with --command-property',
  '--socket-buffer-size': 'the system sizes the buffers of sockets',
}
const READER_PROPERTIES =
  'parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, headers.key.separator, ' +
  'null.marker, ignore.error'

export function define(command: Command): void {
  withRefused(withBootstrapServer(command), REFUSED)
    .requiredOption('--topic <name>', 'where the lines of standard input go')
    .option('--request-required-acks <n>', '0, 1 or all (default)')
    .option('--acks <n>', 'the same')
    .option('--compression-codec [codec]', `one of ${CODECS.join(', ')}; gzip when nothing is said`)
    .option('--batch-size <bytes>', 'batch.size')
    .option('--timeout <ms>', 'linger.ms: how long a batch waits for more lines')
    .option('--max-partition-memory-bytes <bytes>', 'older name of --batch-size')
    .option('--retry-backoff-ms <ms>', 'retry.backoff.ms')
    .option('--metadata-expiry-ms <ms>', 'metadata.max.age.ms')
    .option('--line-reader <class>', "Kafka's LineMessageReader, the default and the only one")
    .option('--max-block-ms <ms>', 'max.block.ms: how long to wait for the topic and for memory')
    .option('--max-memory-bytes <bytes>', 'buffer.memory')
    .option('--request-timeout-ms <ms>', 'request.timeout.ms')
    .option('--sync', 'wait for the answer to each line')
    .option('--reader-property <name=value>', `${READER_PROPERTIES}; may be repeated`, repeated)
    .option('--property <name=value>', 'the same', repeated)
    .option('--reader-config <file>', 'the same, from a .properties file')
    .option('--command-property <name=value>', "a producer setting of Kafka's names; may be repeated", repeated)
    .option('--producer-property <name=value>', 'the same', repeated)
    .option('--producer.config <file>', 'the same as --command-config')
    .action(run)
}

/** The settings of the options, with the names of the producer's. */
function namedSettings(options: Options): string[] {
  const codec = options.compressionCodec === true ? 'gzip' : options.compressionCodec
  if (codec !== undefined && !(CODECS as readonly string[]).includes(codec)) {
    throw new UsageError(`--compression-codec ${codec} must be one of ${CODECS.join(', ')}`)
  }
  const acks = options.requestRequiredAcks ?? options.acks
  if (acks !== undefined && !['0', '1', '-1', 'all'].includes(acks)) {
    throw new UsageError(`--request-required-acks ${acks} must be 0, 1 or all`)
  }
  const number = (setting: string, flag: string, text: string | undefined) =>
    text === undefined ? [] : [`${setting}=${wholeNumber(flag, text, 0)}`]
  return [
    ...(codec === undefined ? [] : [`compression.type=${codec}`]),
    ...(acks === undefined ? [] : [`acks=${acks}`]),
    ...number('batch.size', '--batch-size', options.batchSize),
    // As Kafka's tool: the older name wins.
    ...number('batch.size', '--max-partition-memory-bytes', options.maxPartitionMemoryBytes),
    ...number('retry.backoff.ms', '--retry-backoff-ms', options.retryBackoffMs),
    ...number('metadata.max.age.ms', '--metadata-expiry-ms', options.metadataExpiryMs),
    ...number('linger.ms', '--timeout', options.timeout),
    ...number('max.block.ms', '--max-block-ms', options.maxBlockMs),
    ...number('buffer.memory', '--max-memory-bytes', options.maxMemoryBytes),
    ...number('request.timeout.ms', '--request-timeout-ms', options.requestTimeoutMs),
  ]
}

async function run(options: Options): Promise<void> {
  const packages = ['org.apache.kafka.tools.', 'kafka.tools.ConsoleProducer$', 'kafka.tools.']
  if (options.lineReader !== undefined) knownClass('--line-reader', options.lineReader, packages, ['LineMessageReader'])
  const { bootstrapServers: _, ...settings } = clientSettings(
    producerOptionsFrom,
    options.commandConfig ?? options['producer.config'],
    [...(options.commandProperty ?? []), ...(options.producerProperty ?? []), ...namedSettings(options)],
  )
  let failure: Error | undefined
  const producerOptions: ProducerOptions = {
    ...settings,
    onBatchDone: (batch: ProducerBatch) => {
      failure ??= batch.error
    },
  }
  const producer = clientOf(options).producer(producerOptions)
  try {
    await waitForTopic(producer, options.topic)
    await sendLines(producer, options)
    await producer.flush()
  } finally {
    await producer.close()
  }
  if (failure !== undefined) throw failure
}

/** A broker may make the topic when it is asked for; when it does not, nobody shall wonder what this tool waits for. */
async function waitForTopic(producer: Producer, topic: string): Promise<void> {
  const fix = `create it with: topics --create --topic ${topic}`
  const hint = setTimeout(() => process.stderr.write(`waiting for topic ${topic}; ${fix}\n`), HINT_AFTER_MS)
  try {
    await producer.partitionsFor(topic)
  } catch (error) {
    const missing = error instanceof KafkaError && /not present in metadata/.test(error.message)
    throw missing ? new UsageError(`topic ${topic} does not exist; ${fix}`) : error
  } finally {
    clearTimeout(hint)
  }
}

async function sendLines(producer: Producer, options: Options): Promise<void> {
  const { topic } = options
  const parse = lineParser({
    ...(options.readerConfig === undefined ? {} : readPropertiesFile(options.readerConfig)),
    ...keyValues(options.property),
    ...keyValues(options.readerProperty),
  })
  let lineNumber = 0
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    const record = parse(line, ++lineNumber)
    if (options.sync === true) {
      await producer.send({ topic, ...record })
      continue
    }
    await producer.ready(topic)
    producer.append({ topic, ...record })
  }
}
