import type { Clock, Logger, Timer } from '../../base/index.ts'

const BACKOFF_MS_MIN = 250
const BACKOFF_MS_MAX = 60_000

/** What the publisher needs of its herder. */
export interface TaskConfigPublisherActions {
  /** Whether this worker still owns the running connector. */
  isWanted(connector: string): boolean
  /** Asks the connector for its task configurations and hands them to the leader when they differ. */
  publish(connector: string): Promise<void>
}

interface Entry {
  /** Asked for again while a publication was under way. */
  again: boolean
  busy: boolean
  attempts: number
  timer: Timer | null
}

/**
 * Brings new task configurations from connectors to the leader, one publication a connector at a time. What fails is
 * tried again with growing pauses until it succeeds or the connector is no longer ours.
 */
export class TaskConfigPublisher {
  private readonly entries = new Map<string, Entry>()
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly actions: TaskConfigPublisherActions

  constructor(options: { clock: Clock; logger: Logger; actions: TaskConfigPublisherActions }) {
    this.clock = options.clock
    this.logger = options.logger
    this.actions = options.actions
  }

  request(connector: string): void {
    let entry = this.entries.get(connector)
    if (!entry) {
      entry = { again: false, busy: false, attempts: 0, timer: null }
      this.entries.set(connector, entry)
    }
    if (entry.busy) {
      entry.again = true
      return
    }
    entry.timer?.cancel()
    entry.timer = null
    entry.attempts = 0
    void this.run(connector, entry)
  }

  stop(): void {
    for (const entry of this.entries.values()) entry.timer?.cancel()
    this.entries.clear()
  }

  private async run(connector: string, entry: Entry): Promise<void> {
    entry.busy = true
    do {
      entry.again = false
      if (!this.actions.isWanted(connector)) break
      try {
        await this.actions.publish(connector)
        entry.attempts = 0
      } catch (error) {
        this.retryLater(connector, entry, error)
      }
    } while (entry.again)
    entry.busy = false
    if (!entry.timer && this.entries.get(connector) === entry) this.entries.delete(connector)
  }

  private retryLater(connector: string, entry: Entry, error: unknown): void {
    const delayMs = Math.min(BACKOFF_MS_MIN * 2 ** entry.attempts, BACKOFF_MS_MAX)
    entry.attempts++
    this.logger.warn({ connector, err: error, delayMs }, 'task configurations could not be published; trying again')
    entry.timer?.cancel()
    entry.timer = this.clock.setTimer(
      delayMs,
      () => {
        entry.timer = null
        if (this.entries.get(connector) === entry) void this.run(connector, entry)
      },
      { unref: true },
    )
  }
}
