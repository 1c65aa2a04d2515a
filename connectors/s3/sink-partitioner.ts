import { createPartitioner, type Partitioner } from './partitioner.ts'
import { extractorOf, partitionerOf, type SinkConfig } from './sink-config.ts'

/** The partitioner that the configuration asks for; throws ConfigError that names the key at fault. */
export function sinkPartitioner(config: SinkConfig): Partitioner {
  return createPartitioner({
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
}
