import type { Logger } from '../../../base/index.ts'

interface LineFields {
  readonly connector?: string
  readonly task?: number
  /** What a plugin printed. */
  readonly line?: string
  readonly err?: unknown
  readonly trace?: string
}

/** A worker's log as somebody wants to read it who writes a plugin: its own lines, what it prints, and all that is wrong. */
export function pluginLog(print: (text: string) => void, context: Readonly<Record<string, unknown>> = {}): Logger {
  const write = (level: string, fields: object, message: string) => {
    const { connector, task, line, err, trace, ...rest } = { ...context, ...fields } as LineFields
    if (message === 'plugin output') return print(`  | ${line}`)
    if (level === 'info' && connector === undefined) return
    const who = connector === undefined ? '' : ` [${connector}${task === undefined ? '' : `-${task}`}]`
    const details = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`
    const cause = err instanceof Error ? (err.stack ?? err.message) : err
    const why = cause ?? trace
    print(`${level.toUpperCase()}${who} ${message}${details}${why === undefined ? '' : `\n${textOf(why)}`}`)
  }
  return {
    debug: () => undefined,
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
    child: (more) => pluginLog(print, { ...context, ...more }),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
