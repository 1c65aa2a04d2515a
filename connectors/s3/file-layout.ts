import { compressionOf, type FileLayout, Memory, writeFormat } from '../_shared/storage-sink/index.ts'
import type { SinkConfig } from './sink-config.ts'

/** What the configuration says of the objects of a record. */
export function fileLayout(config: SinkConfig): FileLayout {
  return {
    format: writeFormat(config['format.class'], config),
    keys: config['store.kafka.keys'] ? writeFormat(config['keys.format.class'], config) : null,
    headers: config['store.kafka.headers'] ? writeFormat(config['headers.format.class'], config) : null,
    compression: compressionOf(config['s3.compression.type'], config['s3.compression.level']),
    memory: new Memory(config['s3.buffer.bytes']),
  }
}
