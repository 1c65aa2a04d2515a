import type { Logger } from '../../base/index.ts'
import { formatTrace } from '../host/trace.ts'
import type { ErrorReporter, Failure } from './error-operator.ts'
import type { ErrorCounters } from './task-metrics.ts'

/** Writes failures to the log when `errors.log.enable` is set; what record it was only with `errors.log.include.messages`. */
export function createLogReporter(options: {
  readonly taskName: string
  readonly includeMessages: boolean
  readonly logger: Logger
  readonly counters: ErrorCounters
}): ErrorReporter {
  const { taskName, includeMessages, logger, counters } = options
  return {
    report(failure) {
      counters.logged++
      const where = includeMessages ? recordText(failure) : ''
      const message = `Error encountered in task ${taskName}. Executing stage '${failure.stage}' with class '${failure.className}'${where}.`
      logger.error({ trace: formatTrace(failure.error) }, message)
      return undefined
    },
  }
}

/** Coordinates only: keys and values may hold personal data. */
function recordText({ consumed, source }: Failure): string {
  if (consumed) {
    const { topic, partition, offset, timestamp, timestampType = 'CreateTime' } = consumed
    return `, where consumed record is {topic='${topic}', partition=${partition}, offset=${offset}, timestamp=${timestamp}, timestampType=${timestampType}}`
  }
  if (!source) return ''
  const { topic, partition, offset } = source
  return `, where source record is = {topic='${topic}', sourcePartition=${text(partition)}, sourceOffset=${text(offset)}}`
}

function text(map: object): string {
  return JSON.stringify(map, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}
