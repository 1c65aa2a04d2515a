import type { LogConfig } from '../../log/index.ts'
import type { Codec } from '../../record/index.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { configNumber, splitList } from '../config/config-key.ts'
import { topicConfigValues } from '../config/effective-config.ts'
import type { TopicConfigName } from '../config/topic-config.ts'

/** The settings of a topic's logs: what is set on the topic over what is set on the broker. */
export function logConfigOf(overrides: ReadonlyMap<string, string>, broker: BrokerConfig): LogConfig {
  const values = topicConfigValues(overrides, broker)
  const text = (name: TopicConfigName) => values.get(name)!.trim()
  const number = (name: TopicConfigName) => configNumber(text(name))
  const limit = (name: TopicConfigName) => {
    const value = number(name)
    return value < 0 ? Number.POSITIVE_INFINITY : value
  }
  return {
    segmentBytes: number('segment.bytes'),
    segmentMs: number('segment.ms'),
    segmentJitterMs: number('segment.jitter.ms'),
    segmentIndexBytes: number('segment.index.bytes'),
    indexIntervalBytes: number('index.interval.bytes'),
    retentionMs: limit('retention.ms'),
    retentionBytes: limit('retention.bytes'),
    fileDeleteDelayMs: number('file.delete.delay.ms'),
    maxMessageBytes: number('max.message.bytes'),
    timestampType: text('message.timestamp.type') === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    timestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    cleanupPolicy: splitList(text('cleanup.policy')) as ('delete' | 'compact')[],
    compressionType: codecOf(text('compression.type')),
    gzipLevel: number('compression.gzip.level'),
    zstdLevel: number('compression.zstd.level'),
    flushMessages: number('flush.messages'),
    flushMs: number('flush.ms'),
    flush: broker.string('log.flush') === 'os' ? 'os' : 'commit',
  }
}

function codecOf(value: string): Codec | 'producer' {
  return value === 'uncompressed' ? 'none' : (value as Codec | 'producer')
}
