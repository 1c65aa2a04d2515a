/*
 * DescribeLogDirs (35), versions 1 to 5.
 * 2: flexible. 3: error of the whole answer. 4: size of the volume, unknown here (-1). 5: cordoned directories, never.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { defineHandler } from './handler.ts'

export const describeLogDirs = defineHandler({
  api: apis.describeLogDirs,
  versions: [1, 5],
  handle(broker, request) {
    const asked = request.topics
    const all = [...broker.topics.all()].map(({ name, logs }) => ({ topic: name, partitions: logs.map((_, i) => i) }))
    const topics = (asked ?? all).flatMap(({ topic, partitions }) => {
      const found = partitions.flatMap((partition) => sizeOf(broker, topic, partition))
      return found.length === 0 ? [] : [{ name: topic, partitions: found }]
    })
    const { dataDirectory } = broker.config
    const results = [
      { errorCode: ErrorCode.NONE, logDir: dataDirectory, topics, totalBytes: -1, usableBytes: -1, isCordoned: false },
    ]
    return { errorCode: ErrorCode.NONE, results }
  },
})

function sizeOf(broker: BrokerServices, topic: string, partitionIndex: number) {
  const log = broker.topics.log(topic, partitionIndex)
  if (log === undefined) return []
  return [{ partitionIndex, partitionSize: log.sizeInBytes, offsetLag: 0, isFutureKey: false }]
}
