/** How a slot brings its connector or task from one wish to the next. */
export interface SlotActions<W> {
  /** Rejections are the owner's news (a FAILED status), not the slot's: it does not try again by itself. */
  start(wanted: W): Promise<void>
  stop(): Promise<void>
  /** Changes what is running, for example its target state. */
  adjust(wanted: W): Promise<void>
  /** What it takes to get from the one to the other. */
  difference(applied: W, wanted: W): 'none' | 'adjust' | 'restart'
}

/**
 * One connector or task on this worker: what it shall be and what it is. Actions of a slot never overlap, whatever is
 * wished meanwhile, so a task is stopped before it starts again (invariant 4); slots do not wait for each other, so one
 * that hangs hurts only itself.
 */
export class Slot<W> {
  private wanted: W | null = null
  private applied: W | null = null
  private running: Promise<void> | null = null
  private readonly actions: SlotActions<W>

  constructor(actions: SlotActions<W>) {
    this.actions = actions
  }

  /** Wishes something else; null wishes it gone. Returns at once. */
  want(wanted: W | null): void {
    this.wanted = wanted
    this.running ??= this.run()
  }

  /** Resolves when the slot is as wished. */
  async settled(): Promise<void> {
    while (this.running) await this.running
  }

  isEmpty(): boolean {
    return this.applied === null && this.running === null
  }

  private async run(): Promise<void> {
    // Lets the caller finish its turn, so that several wishes in a row become one.
    await Promise.resolve()
    while (!this.isAsWished()) await this.step()
    this.running = null
  }

  private isAsWished(): boolean {
    if (this.wanted === null || this.applied === null) return this.wanted === this.applied
    return this.actions.difference(this.applied, this.wanted) === 'none'
  }

  private async step(): Promise<void> {
    const { wanted, applied } = this
    if (applied !== null && (wanted === null || this.actions.difference(applied, wanted) === 'restart')) {
      await settle(this.actions.stop())
      this.applied = null
    } else if (wanted !== null) {
      this.applied = wanted
      await settle(applied === null ? this.actions.start(wanted) : this.actions.adjust(wanted))
    }
  }
}

async function settle(action: Promise<void>): Promise<void> {
  try {
    await action
  } catch {
    // The worker has reported the failure through its listener; a restart is a new wish.
  }
}
