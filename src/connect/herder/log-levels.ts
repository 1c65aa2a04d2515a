import type { LoggerLevel } from './herder.ts'
import { HerderError } from './errors.ts'

/** The levels of the loggers of this process, as /admin/loggers shows and changes them. */
export interface LogLevels {
  /** Levels by logger name; `root` is always there. */
  all(): Readonly<Record<string, LoggerLevel>>
  set(name: string, level: string, nowMs: number): void
}

const LEVELS: ReadonlySet<string> = new Set(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'OFF'])

/** The level in Kafka's spelling, or the 404 that Kafka answers. */
export function requireLevel(level: string): string {
  const upper = level.toUpperCase()
  if (!LEVELS.has(upper)) throw new HerderError('NOT_FOUND', `invalid log level '${level}'.`)
  return upper
}

/** The logger of a line, by what the line says of itself: `connector.<name>`, or `worker` for all that is of no connector. */
export function loggerOf(fields: object): string {
  const { connector } = fields as { readonly connector?: unknown }
  return typeof connector === 'string' ? `connector.${connector}` : 'worker'
}

/** Whether anything is written to a logger of this name. */
export function isLogger(name: string): boolean {
  return name === 'root' || name === 'worker' || /^connector(\..|$)/.test(name)
}

/** Throws Kafka's 404 for a logger that nothing is written to: setting its level would change nothing. */
export function requireLogger(name: string): void {
  if (isLogger(name)) return
  throw new HerderError(
    'NOT_FOUND',
    `Logger ${name} not found. There are root, worker, connector (all connectors) and connector.<name>.`,
  )
}

/** The level that counts for a logger: its own, else that of the nearest parent in the dotted name, else root's. */
export function effectiveLevel(levels: Readonly<Record<string, LoggerLevel>>, name: string): LoggerLevel {
  let candidate = name
  while (candidate !== '') {
    const found = levels[candidate]
    if (found) return found
    candidate = candidate.includes('.') ? candidate.slice(0, candidate.lastIndexOf('.')) : ''
  }
  return levels.root ?? { level: 'INFO', last_modified: null }
}

/** Levels that are kept in memory only; `onChange` hears of each. */
export function createLogLevels(rootLevel: string, onChange: (name: string, level: string) => void): LogLevels {
  const levels: Record<string, LoggerLevel> = { root: { level: requireLevel(rootLevel), last_modified: null } }
  return {
    all: () => levels,
    set(name, level, nowMs) {
      levels[name] = { level: requireLevel(level), last_modified: nowMs }
      onChange(name, level)
    },
  }
}
