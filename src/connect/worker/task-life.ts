import type { Clock, Logger, Timer } from '../../base/index.ts'
import { formatTrace } from '../host/trace.ts'
import { Interruptible } from './interruptible.ts'
import { CutOffError, StoppedError } from './unit-runner.ts'

export interface TaskLifeOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** Ends what the task's loop waits for by itself, such as a poll, so that it sees that the task ends. */
  readonly wake: () => void
}

/** How a task ends, of whatever kind it is: it is asked to stop, it fails, or it is cut off because it takes too long. */
export class TaskLife {
  readonly #o: TaskLifeOptions
  readonly #stopping = new AbortController()
  readonly #wait = new Interruptible()
  #failure: { readonly error: unknown } | undefined
  #isCut = false

  constructor(options: TaskLifeOptions) {
    this.#o = options
  }

  /** Aborts when the task is to stop. */
  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Nothing of a task that was cut off is waited for any more; its code may still run. */
  get isCut(): boolean {
    return this.#isCut
  }

  /** Waits for the plugin or the log, one thing at a time; gives up when the task fails or is cut off. */
  waitFor<T>(promise: Promise<T>): Promise<T> {
    return this.#wait.wait(promise)
  }

  /** Something went wrong beside the task's loop. */
  fail(error: unknown): void {
    // The first failure is told; what follows from it must not disturb the end of the task.
    if (this.#failure) return
    this.#failure = { error }
    this.#o.wake()
    this.#wait.interrupt(error)
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error
  }

  /** What the task's loop has thrown: its failure, unless it only ends. */
  caught(error: unknown): void {
    if (!(error instanceof CutOffError || error instanceof StoppedError)) this.#failure ??= { error }
  }

  /** The failure that the task ends with, once it is logged; undefined when it ends without one. */
  tellFailure(): string | undefined {
    if (!this.#failure) return undefined
    const trace = formatTrace(this.#failure.error)
    this.#o.logger.error({ trace }, 'the task failed')
    return trace
  }

  /** Asks the task to stop and waits until it has ended; false when it had to be cut off. */
  async stop(timeoutMs: number, ended: () => Promise<void> | undefined): Promise<boolean> {
    this.#stopping.abort(new StoppedError('the task stops'))
    this.#o.wake()
    const cut = this.#cutAfter(timeoutMs)
    await ended()
    cut.cancel()
    return !this.#isCut
  }

  #cutAfter(timeoutMs: number): Timer {
    return this.#o.clock.setTimer(timeoutMs, () => {
      this.#isCut = true
      this.#wait.interrupt(new CutOffError(`the task did not stop within ${timeoutMs} ms`))
    })
  }

  /** Waits for what the task needs. When the task has ended before it is there it is closed: nobody else would. */
  open<T>(opening: Promise<T>, close: (open: T) => Promise<void>): Promise<T> {
    opening.then(
      (open) => {
        if (this.#isCut || this.#failure) void close(open)
      },
      () => {},
    )
    return this.#wait.wait(opening)
  }

  /** The last steps of a task: in the time that `stop` gave, or in this when the task ends by itself. */
  async end(timeoutMs: number, steps: () => Promise<void>): Promise<void> {
    if (!this.#isCut) this.#wait.reset()
    const cut = this.isStopping ? undefined : this.#cutAfter(timeoutMs)
    await steps()
    cut?.cancel()
  }

  /** One of the last steps. They go on whatever fails on the way; the first failure of the task is the one that is told. */
  async attempt(what: string, step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      if (error instanceof CutOffError) return
      if (this.isStopping || this.#failure) {
        this.#o.logger.error({ err: error }, `${what} failed while the task ends`)
      } else this.#failure = { error }
    }
  }
}
