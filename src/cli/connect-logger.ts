import { pino } from 'pino'
import type { Logger } from '../base/index.ts'
import { createLogLevels, type LogLevels } from '../connect/index.ts'

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
export function createConnectLogger(): { readonly logger: Logger; readonly levels: LogLevels } {
  const rootLevel = process.env.LOG_LEVEL ?? 'info'
  const levels = createLogLevels(rootLevel === 'silent' ? 'OFF' : rootLevel, () => {})
  // What is written is decided here, line by line, so that a change of a level counts for every child at once.
  const sink = pino({ level: 'debug', base: {} })
  return { logger: withLevels(sink, levels), levels }
}

function withLevels(sink: Logger, levels: LogLevels): Logger {
  const isWritten = (level: string) => {
    const root = levels.all().root?.level ?? 'INFO'
    return (LOUDNESS[level] ?? 0) >= (LOUDNESS[root] ?? 0)
  }
  return {
    debug: (fields, message) => isWritten('DEBUG') && sink.debug(fields, message),
    info: (fields, message) => isWritten('INFO') && sink.info(fields, message),
    warn: (fields, message) => isWritten('WARN') && sink.warn(fields, message),
    error: (fields, message) => isWritten('ERROR') && sink.error(fields, message),
    child: (context) => withLevels(sink.child(context), levels),
  }
}
