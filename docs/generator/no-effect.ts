/**
 * Keys that are read and checked, so that files written for Kafka can be used as they are, and that change nothing yet.
 * The reference says so; a test (test/tidy/docs.test.ts) fails when the code comes to use one of them.
 */
export const NO_EFFECT: ReadonlySet<string> = new Set([
  'compression.lz4.level',
  'config.action.reload',
  'delete.retention.ms',
  'log.cleaner.delete.retention.ms',
  'log.cleaner.max.compaction.lag.ms',
  'log.cleaner.min.cleanable.ratio',
  'log.cleaner.min.compaction.lag.ms',
  'log.flush.scheduler.interval.ms',
  'log.preallocate',
  'max.compaction.lag.ms',
  'min.cleanable.dirty.ratio',
  'min.compaction.lag.ms',
  'preallocate',
  'rest.advertised.listener',
])

const REFUSED = 'Refused with any other value: there are no exactly-once sources yet.'
const UNCOMPACTED = 'Compaction is not there yet: such a topic refuses records without a key and keeps all others.'

/** What has to be said of keys whose text promises more than there is. */
export const REMARKS: Readonly<Record<string, string>> = {
  'cleanup.policy': UNCOMPACTED,
  'exactly.once.source.support': REFUSED,
  'exactly.once.support': REFUSED,
  'log.cleanup.policy': UNCOMPACTED,
  'offsets.storage.topic': REFUSED,
  'transaction.boundary': REFUSED,
  'transaction.boundary.interval.ms': REFUSED,
}
