import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import type { Producer, ProducerBatch } from '../../client/index.ts'
import type { Codec } from '../../record/index.ts'
import { clientOf, keyValues, repeated, type ToolOptions, withBootstrapServer } from '../kafka-tool.ts'
import { UsageError } from '../usage-error.ts'

interface Options extends ToolOptions {
  readonly topic: string
  readonly acks: string
  readonly compressionCodec?: string | true
  readonly property?: string[]
  readonly readerProperty?: string[]
}

const CODECS: readonly string[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

export function define(command: Command): void {
  withBootstrapServer(command)
    .requiredOption('--topic <name>', 'where the lines of standard input go')
    .option('--acks <n>', '0, 1 or all', 'all')
    .option('--compression-codec [codec]', 'none, gzip (default of the option), snappy, lz4 or zstd')
    .option('--property <name=value>', 'parse.key=true, key.separator, null.marker; may be repeated', repeated)
    .option('--reader-property <name=value>', 'the same', repeated)
    .action(run)
}

async function run(options: Options): Promise<void> {
  const compressionType = options.compressionCodec === true ? 'gzip' : (options.compressionCodec ?? 'none')
  if (!CODECS.includes(compressionType)) throw new UsageError(`--compression-codec must be one of ${CODECS.join(', ')}`)
  const acks = { '0': 0, '1': 1, '-1': -1, all: -1 }[options.acks] as 0 | 1 | -1 | undefined
  if (acks === undefined) throw new UsageError('--acks must be 0, 1 or all')
  let failure: Error | undefined
  const producer = clientOf(options).producer({
    acks,
    compressionType: compressionType as Codec,
    onBatchDone: (batch: ProducerBatch) => {
      failure ??= batch.error
    },
  })
  try {
    await sendLines(producer, options)
    await producer.flush()
  } finally {
    await producer.close()
  }
  if (failure !== undefined) throw failure
}

async function sendLines(producer: Producer, options: Options): Promise<void> {
  const properties = { ...keyValues(options.property), ...keyValues(options.readerProperty) }
  const withKey = properties['parse.key'] === 'true'
  const separator = (properties['key.separator'] ?? '\t').replaceAll('\\t', '\t')
  const nullMarker = properties['null.marker']
  const bytes = (text: string) => (text === nullMarker ? null : Buffer.from(text))
  let lineNumber = 0
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    lineNumber++
    const at = withKey ? line.indexOf(separator) : -1
    if (withKey && at < 0) throw new UsageError(`line ${lineNumber} has no key: there is no "${separator}" in it`)
    const key = withKey ? bytes(line.slice(0, at)) : null
    const value = bytes(withKey ? line.slice(at + separator.length) : line)
    await producer.ready(options.topic)
    producer.append({ topic: options.topic, key, value })
  }
}
