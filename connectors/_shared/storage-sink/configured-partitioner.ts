import { type ConfigIssue, isConnectError } from '@millrace/sdk'
import { extractorOf, partitionerOf, type StorageConfig } from './config.ts'
import { createPartitioner, type Partitioner } from './partitioner.ts'

/** The partitioner that a configuration asks for; throws ConfigError that names the key at fault. */
export function configuredPartitioner(config: StorageConfig): Partitioner {
  const partitioner = createPartitioner({
    name: partitionerOf(config['partitioner.class']) ?? 'DefaultPartitioner',
    fields: config['partition.field.name'],
    delimiter: config['directory.delim'],
    durationMs: config['partition.duration.ms'],
    pathFormat: config['path.format'],
    locale: config.locale,
    zone: config.timezone,
    extractor: extractorOf(config['timestamp.extractor']) ?? 'Wallclock',
    timestampField: config['timestamp.field'],
  })
  if (partitioner.extract !== null || config['rotate.interval.ms'] <= 0) return partitioner
  // Records have no time of their own then, and files end by the clock.
  return { ...partitioner, extract: (_record, nowMs) => nowMs, deterministic: false }
}

/** What keeps the options of the partitioner, taken together, from making one. */
export function partitionerIssues(config: StorageConfig): readonly ConfigIssue[] {
  try {
    configuredPartitioner(config)
    return []
  } catch (error) {
    if (!isConnectError(error)) throw error
    const { key, message } = error as { key?: string; message: string }
    return [{ key: key ?? 'partitioner.class', message }]
  }
}
