import type { Logger } from '../base/index.ts'
import { createLogLevels, effectiveLevel, loggerOf, type LogLevels } from '../connect/index.ts'
import { createPino } from './logger.ts'

/** How loud a line or a level is; a line is written when it is at least as loud as its logger's level. */
const LOUDNESS: Readonly<Record<string, number>> = {
  TRACE: 10,
  DEBUG: 20,
  INFO: 30,
  WARN: 40,
  ERROR: 50,
  FATAL: 60,
  OFF: 70,
}

/** The log of a worker with levels that /admin/loggers changes while it runs. */
export function createConnectLogger(sink: Logger = createPino({ level: 'debug', base: {} })): {
  readonly logger: Logger
  readonly levels: LogLevels
} {
  const rootLevel = process.env.LOG_LEVEL ?? 'info'
  const levels = createLogLevels(rootLevel === 'silent' ? 'OFF' : rootLevel, () => {})
  // What is written is decided here, line by line, so that a change of a level counts for every child at once.
  return { logger: withLevels(sink, levels, {}), levels }
}

function withLevels(sink: Logger, levels: LogLevels, context: object): Logger {
  const isWritten = (level: string, fields: object) => {
    const { level: threshold } = effectiveLevel(levels.all(), loggerOf({ ...context, ...fields }))
    return (LOUDNESS[level] ?? 0) >= (LOUDNESS[threshold] ?? 0)
  }
  return {
    debug: (fields, message) => isWritten('DEBUG', fields) && sink.debug(fields, message),
    info: (fields, message) => isWritten('INFO', fields) && sink.info(fields, message),
    warn: (fields, message) => isWritten('WARN', fields) && sink.warn(fields, message),
    error: (fields, message) => isWritten('ERROR', fields) && sink.error(fields, message),
    child: (more) => withLevels(sink.child(more), levels, { ...context, ...more }),
  }
}
