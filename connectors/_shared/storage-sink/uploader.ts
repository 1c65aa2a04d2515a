import { ConnectError, RetriableError } from '@millrace/sdk'
import type { Failure } from '../retry/index.ts'
import type { FileObject, OpenFile } from './open-file.ts'

/** Files that are stored together: what comes after them may be committed once all are. */
export interface UploadGroup {
  readonly files: readonly OpenFile[]
  remaining: number
  /** Files of which a part was stored by an earlier run, with the last offset that is. */
  readonly conflicts: { readonly file: OpenFile; readonly storedOffset: number }[]
}

/** Where files are stored. */
export interface FileTarget {
  /**
   * Stores one object of a file: it has its name with all its bytes, or not at all. Gives the last offset of one that was
   * there already and stays, or null.
   */
  write(file: OpenFile, object: FileObject): Promise<number | null>
  /** Whether what failed may be tried again. */
  classify(error: unknown): Failure
}

export interface UploaderOptions {
  readonly target: FileTarget
  readonly concurrency: number
  readonly retryBackoffMs: number
  readonly now: () => number
}

interface Job {
  readonly file: OpenFile
  readonly group: UploadGroup
}

/** Large objects are read from the disk part by part: few at a time, so that memory stays bounded. */
const LARGE_BYTES = 8 * 1024 * 1024
const LARGE_AT_ONCE = 2

/** Uploads files in the background, several at a time. What failed for a passing reason is kept and tried again. */
export class Uploader {
  readonly #o: UploaderOptions
  #waiting: Job[] = []
  #failed: Job[] = []
  #running = 0
  #large = 0
  #fatal: unknown
  #passing: Error | undefined
  #retryAtMs = 0
  #stopped = false
  #changed = Promise.withResolvers<void>()

  constructor(options: UploaderOptions) {
    this.#o = options
  }

  submit(group: UploadGroup): void {
    for (const file of group.files) this.#waiting.push({ file, group })
    this.#startMore()
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0 && this.#failed.length === 0
  }

  /** Throws what ended an upload for good, or a RetriableError while failed ones wait; else starts those again. */
  check(): void {
    if (this.#fatal !== undefined) throw this.#fatal
    if (this.#failed.length === 0) return
    const waitMs = this.#retryAtMs - this.#o.now()
    if (waitMs > 0) {
      const message = `uploads failed, they are tried again in ${waitMs} ms: ${this.#passing?.message}`
      throw new RetriableError(message, { cause: this.#passing, retryAfterMs: waitMs })
    }
    this.#waiting.unshift(...this.#failed)
    this.#failed = []
    this.#startMore()
  }

  /** Resolves when the next upload has ended, well or not. */
  async progress(): Promise<void> {
    if (this.#running > 0) await this.#changed.promise
  }

  /** Resolves when nothing runs any more: all is stored, or has failed. */
  async settled(): Promise<void> {
    while (this.#running > 0) await this.#changed.promise
  }

  /** Starts nothing more and waits for what runs. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#waiting = []
    this.#failed = []
    await this.settled()
  }

  #startMore(): void {
    while (!this.#stopped && this.#fatal === undefined && this.#running < this.#o.concurrency) {
      const job = this.#waiting.shift()
      if (job === undefined) return
      this.#running++
      void this.#run(job).finally(() => {
        this.#running--
        this.#startMore()
        this.#changed.resolve()
        this.#changed = Promise.withResolvers()
      })
    }
  }

  /** Never rejects. */
  async #run(job: Job): Promise<void> {
    try {
      await this.#upload(job)
      await job.file.dispose()
      job.group.remaining--
    } catch (error) {
      const { kind, error: reason } = this.#o.target.classify(error)
      if (kind === 'retriable') {
        this.#passing = reason
        this.#retryAtMs = this.#o.now() + this.#o.retryBackoffMs
        this.#failed.push(job)
      } else {
        const { topic, folder } = job.file
        this.#fatal ??= new ConnectError(
          `A file of topic ${topic}, folder ${folder} cannot be stored: ${reason.message}`,
          { cause: reason },
        )
      }
    }
  }

  async #upload({ file, group }: Job): Promise<void> {
    // The object of values comes last: who sees it finds the others beside it.
    for (const object of file.objects.toReversed()) {
      await object.buffer.end()
      const isLarge = object.buffer.size > LARGE_BYTES
      while (isLarge && this.#large >= LARGE_AT_ONCE) await this.#changed.promise
      if (isLarge) this.#large++
      try {
        const storedOffset = await this.#o.target.write(file, object)
        if (storedOffset !== null && storedOffset !== file.lastOffset) {
          group.conflicts.push({ file, storedOffset })
          return
        }
      } finally {
        if (isLarge) this.#large--
      }
    }
  }
}
