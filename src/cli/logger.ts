import { pino } from 'pino'
import type { Logger } from '../base/index.ts'

/** The log of a Millrace process: JSON lines on standard output; `LOG_LEVEL` is debug, info (default), warn, error or silent. */
export function createLogger(context: Record<string, unknown> = {}): Logger {
  return pino({ level: process.env.LOG_LEVEL ?? 'info', base: context })
}
