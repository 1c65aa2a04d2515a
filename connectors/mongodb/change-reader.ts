import { ConnectError, type PluginLogger, RetriableError } from '@millrace/sdk'
import { type Pauses, realPauses } from '../_shared/retry/index.ts'
import type { Document } from './documents.ts'
import { failureOf } from './failures.ts'
import { isTokenLost, tokenText } from './resume-token.ts'

/** The part of the driver's change stream that is used. */
export interface EventStream {
  tryNext(): Promise<Document | null>
  /** Events that are here already. */
  bufferedCount(): number
  /** After what was read last; undefined or null while the server has said none. */
  readonly resumeToken: unknown
  readonly closed: boolean
  once(event: 'resumeTokenChanged', listener: () => void): unknown
  close(): Promise<void>
}

export interface ChangeReaderOptions {
  /** Opens a stream behind a resume token, or where the configuration says. */
  open(startAfter: Document | undefined): EventStream
  /** Whether a lost resume token is passed over instead of failing the task. */
  readonly toleratesLoss: boolean
  readonly logger: PluginLogger
  readonly pauses?: Pauses
}

const REOPEN_MS = 500
const BACKOFF_MS = 1000

/** Reads events one after the other, and opens the stream anew behind the last one when it ends or breaks. */
export class ChangeReader {
  readonly #o: ChangeReaderOptions
  readonly #pauses: Pauses
  #stream: EventStream | undefined
  /** A read that no caller has had the answer of yet. */
  #reading: Promise<Document | null> | undefined
  #token: Document | undefined

  constructor(options: ChangeReaderOptions, token: Document | undefined) {
    this.#o = options
    this.#pauses = options.pauses ?? realPauses
    this.#token = token
  }

  /** The place behind all events that were read, as text; undefined while it is not known. */
  get position(): string | undefined {
    return this.#token && tokenText(this.#token)
  }

  /** Resolves when the server has opened the stream: what happens from then on is read. Errors show when it is read. */
  async begin(): Promise<void> {
    const stream = this.#openStream()
    const isOpen = new Promise<void>((resolve) => stream.once('resumeTokenChanged', resolve))
    await Promise.race([isOpen, this.#read(stream).catch(() => undefined)])
    this.#remember(stream)
  }

  /** Up to so many events; none when there were none for a while, or when the signal aborts. */
  async next(max: number, signal: AbortSignal): Promise<Document[]> {
    try {
      return await this.#next(max, signal)
    } catch (error) {
      await this.#drop()
      if (signal.aborted) return []
      this.#judge(error)
      return []
    }
  }

  async close(): Promise<void> {
    await this.#drop()
  }

  async #next(max: number, signal: AbortSignal): Promise<Document[]> {
    if (this.#stream?.closed === true) await this.#reopenLater(signal)
    if (signal.aborted) return []
    const stream = this.#stream ?? this.#openStream()
    const first = await unlessAborted(this.#read(stream), signal)
    // The answer is not lost: the next call gets it.
    if (first === ABORTED) return []
    this.#reading = undefined
    const events: Document[] = []
    for (let event = first; event !== null; event = await stream.tryNext()) {
      events.push(event)
      // The server has ended the stream; behind this event goes on what has the same name by then.
      if (event['operationType'] === 'invalidate') break
      if (events.length >= max || stream.bufferedCount() === 0) break
    }
    const last = events.at(-1)
    if (last !== undefined) this.#token = last['_id'] as Document
    if (last?.['operationType'] === 'invalidate') await this.#drop()
    else this.#remember(stream)
    return events
  }

  #openStream(): EventStream {
    this.#stream = this.#o.open(this.#token)
    return this.#stream
  }

  #read(stream: EventStream): Promise<Document | null> {
    if (this.#reading === undefined) {
      this.#reading = stream.tryNext()
      // Whoever asks next hears of it.
      this.#reading.catch(() => undefined)
    }
    return this.#reading
  }

  /**
   * The server says how far it has looked, also when nothing came: resuming from there never falls out of the oplog.
   */
  #remember({ resumeToken }: EventStream): void {
    if (resumeToken !== undefined && resumeToken !== null) this.#token = resumeToken as Document
  }

  /** The server has closed the stream without a word. */
  async #reopenLater(signal: AbortSignal): Promise<void> {
    this.#remember(this.#stream!)
    await this.#drop()
    this.#o.logger.info({}, 'the server closed the change stream; it is opened again behind the last event')
    await this.#pauses.pause(REOPEN_MS, signal)
  }

  async #drop(): Promise<void> {
    const stream = this.#stream
    this.#stream = undefined
    this.#reading = undefined
    await stream?.close().catch(() => undefined)
  }

  /** Throws what the runtime has to know of; nothing when reading goes on. */
  #judge(error: unknown): void {
    const { message } = error as Error
    if (this.#token !== undefined && isTokenLost(error)) {
      if (!this.#o.toleratesLoss) {
        throw new ConnectError(
          `the change stream cannot go on from its resume token: ${message}. Events since then may be lost. Reset the ` +
            'offsets of the connector, or name others with offset.partition.name (startup.mode=copy_existing reads all ' +
            'again), or let errors.tolerance=all start anew with what happens from now on.',
          { cause: error },
        )
      }
      this.#token = undefined
      this.#o.logger.error(
        { err: error },
        'the resume token is lost, and with it maybe events: reading starts anew with what happens from now on',
      )
      return
    }
    const failure = failureOf(error)
    const described = `the change stream broke: ${message}`
    if (failure.kind === 'retriable') throw new RetriableError(described, { cause: error, retryAfterMs: BACKOFF_MS })
    throw new ConnectError(described, { cause: error })
  }
}

const ABORTED = Symbol('aborted')

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | typeof ABORTED> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(ABORTED)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
