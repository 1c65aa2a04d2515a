import { type LoggerOptions, pino } from 'pino'
import type { Logger } from '../base/index.ts'
import { createLogOutput } from './log-output.ts'

const output = createLogOutput(1)
const LAST_LINES_MS_MAX = 1000

/** JSON lines on standard output. */
export function createPino(options: LoggerOptions): Logger {
  return pino(options, output)
}

/** The log of a Millrace process; `LOG_LEVEL` is debug, info (default), warn, error or silent. */
export function createLogger(context: Record<string, unknown> = {}): Logger {
  return createPino({ level: process.env.LOG_LEVEL ?? 'info', base: context })
}

/** Ends the process when its last log lines are out, or cannot be. */
export async function exitAfterLog(code: number): Promise<never> {
  await output.drained(LAST_LINES_MS_MAX)
  process.exit(code)
}
