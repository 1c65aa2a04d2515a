import type { SinkTask, SinkTaskContext } from '@millrace/sdk'
import { storeSettings } from '../_shared/s3/index.ts'
import { ObjectStore } from '../_shared/s3/object-store.ts'
import { namingOf, objectKey, StorageSinkTask } from '../_shared/storage-sink/index.ts'
import { fileLayout } from './file-layout.ts'
import { ObjectWriter } from './object-writer.ts'
import type { SinkConfig } from './sink-config.ts'

/** The task that writes records into objects of a bucket. */
export function s3SinkTask(config: SinkConfig, context: SinkTaskContext): SinkTask {
  const naming = namingOf(config)
  const keepsStored = config['enable.conditional.writes'] && config['rotate.schedule.interval.ms'] > 0
  const store = new ObjectStore(
    storeSettings(config, {
      encryption: config['s3.ssea.name'],
      kmsKeyId: config['s3.sse.kms.key.id'],
      customerKey: config['s3.sse.customer.key'],
      acl: config['s3.acl.canned'],
      partSize: config['s3.part.size'],
    }),
  )
  const target = new ObjectWriter({
    store,
    onlyIfNew: keepsStored,
    tags: config['s3.object.tagging'] ? taggingOf(config) : null,
    keyOf: (file, object) => objectKey(naming, file, object),
    logger: context.logger,
  })
  return new StorageSinkTask(
    config,
    {
      layout: fileLayout(config),
      target,
      hasFolders: false,
      concurrency: config['s3.upload.concurrency'],
      retryBackoffMs: config['retry.backoff.ms'],
      keepsStored: keepsStored ? { conflictsMax: config['max.files.scan.limit'] } : null,
      nullValues: config['behavior.on.null.values'],
      reportsNullValues: config['report.null.values.to.dlq'],
      tombstoneFolder: config['tombstone.encoded.partition'],
      maxWriteMs: config['max.write.duration.ms'],
      close: () => store.close(),
    },
    context,
  )
}

function taggingOf(config: SinkConfig): { more: Readonly<Record<string, string>>; failing: boolean } {
  const pairs = config['s3.object.tagging.key.value.pairs'].map((pair): [string, string] => {
    const at = pair.indexOf(':')
    return [pair.slice(0, at), pair.slice(at + 1)]
  })
  return { more: Object.fromEntries(pairs), failing: config['behavior.on.tagging.error'] === 'fail' }
}
