import type { PluginLogger } from '@millrace/sdk'
import type { Clock, Logger, Timer } from '../../base/index.ts'

/** How long lines of one text are gathered after one of them was written. */
const WINDOW_MS = 60_000
/** Texts that are told apart; a plugin that puts data into its texts makes one for each record. */
const TEXTS_MAX = 100
const OTHER_TEXT = 'more lines than are written; plugins put what changes into the fields, not into the text'

type Level = 'info' | 'warn' | 'error'

interface Window {
  readonly timer: Timer
  readonly write: (repeated: number) => void
  repeated: number
}

/**
 * The logs of what is called for every record: transformations, predicates and converters. The first line of a text is
 * written at once, and those that follow within a minute as one, with their number: what is wrong with one record is
 * often wrong with all of them.
 */
export class PacedLogs {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #windows = new Map<string, Window>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  /** The logger of one of them; `context` is on all of its lines. */
  of(context: Readonly<Record<string, string>>): PluginLogger {
    const logger = this.#logger.child(context)
    const name = JSON.stringify(context)
    const paced = (level: Level) => (fields: object, message: string) => this.#log(name, logger, level, fields, message)
    // Who asks for debug lines wants all of them.
    return {
      debug: (fields, message) => logger.debug(fields, message),
      info: paced('info'),
      warn: paced('warn'),
      error: paced('error'),
    }
  }

  #log(name: string, logger: Logger, level: Level, fields: object, message: string): void {
    let [key, text] = [`${name} ${level} ${message}`, message]
    if (!this.#windows.has(key) && this.#windows.size >= TEXTS_MAX) [key, text] = [`${name} ${level}`, OTHER_TEXT]
    const window = this.#windows.get(key)
    if (window) {
      window.repeated++
      return
    }
    logger[level](fields, text)
    this.#open(key, (repeated) => logger[level]({ ...fields, repeated }, text))
  }

  #open(key: string, write: Window['write']): void {
    const timer = this.#clock.setTimer(WINDOW_MS, () => this.#close(key), { unref: true })
    this.#windows.set(key, { timer, write, repeated: 0 })
  }

  #close(key: string): void {
    const window = this.#windows.get(key)
    this.#windows.delete(key)
    if (!window || window.repeated === 0) return
    window.write(window.repeated)
    this.#open(key, window.write)
  }

  /** Writes what was gathered. */
  close(): void {
    for (const { timer, write, repeated } of this.#windows.values()) {
      timer.cancel()
      if (repeated > 0) write(repeated)
    }
    this.#windows.clear()
  }
}
