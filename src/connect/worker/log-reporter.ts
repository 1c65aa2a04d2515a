import type { Logger } from '../../base/index.ts'
import { formatTrace } from '../host/trace.ts'
import type { ErrorReporter, Failure } from './error-operator.ts'
import { sourceRecordText } from './record-text.ts'
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

/** Of a sink's record its place, of a source's all that it is: that is what `errors.log.include.messages` asks for. */
function recordText({ consumed, source }: Failure): string {
  if (consumed) {
    const { topic, partition, offset, timestamp, timestampType = 'CreateTime' } = consumed
    return `, where consumed record is {topic='${topic}', partition=${partition}, offset=${offset}, timestamp=${timestamp}, timestampType=${timestampType}}`
  }
  if (!source) return ''
  const text = source.record === null ? `{topic='${source.topic}'}` : sourceRecordText(source.record)
  return `, where source record is = ${text}`
}
