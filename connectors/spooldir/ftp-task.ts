import { createHash, type Hash } from 'node:crypto'
import {
  ConnectError,
  fullMatch,
  isConnectError,
  type PollResult,
  RetriableError,
  type Schema,
  schemas,
  type SourceOffset,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
  struct,
} from '@millrace/sdk'
import { type FileEntry, type FileSystem, joinPath, nameOf } from '../_shared/file-source/index.ts'
import { isPassingNetworkError, pause } from '../_shared/retry/index.ts'
import { durationMs, type FtpConfig, type Monitor } from './ftp-config.ts'

export interface FtpTaskOptions {
  readonly config: FtpConfig
  readonly monitors: readonly Monitor[]
  readonly connect: () => Promise<FileSystem>
}

/** What was published of a file: its first bytes, by their number and hash, when it was of this length and time. */
interface Published {
  readonly offset: number
  readonly hash: string
  readonly size: number
  readonly timestamp: number
}

const KEY = struct({ name: schemas.string, offset: schemas.int64 })
const NO_HEADERS = Object.freeze([])
/** What one record may have; a message has to hold it. */
const RECORD_MAX = 64 * 1024 * 1024

/** Looks at files again and again, and publishes what is new in them. Files stay where they are. */
export class FtpSourceTask implements SourceTask {
  readonly #o: FtpTaskOptions
  readonly #context: SourceTaskContext
  readonly #matches: (name: string) => boolean
  #published = new Map<string, Published>()
  #system: FileSystem | undefined
  #isStopped = false
  /** A look at the server that is not over yet. */
  #look: AsyncGenerator<SourceRecord, void> | undefined
  #failures = 0
  #nextLookMs = 0

  constructor(options: FtpTaskOptions, context: SourceTaskContext) {
    this.#o = options
    this.#context = context
    this.#matches = fullMatch(options.config['connect.ftp.filter'])
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    if (this.#look === undefined) {
      await pause(Math.max(0, this.#nextLookMs - performance.now()), signal)
      if (signal.aborted) return null
    }
    const records: SourceRecord[] = []
    try {
      this.#look ??= this.#newRecords()
      let bytes = 0
      while (records.length < this.#o.config['connect.ftp.max.poll.records'] && bytes < RECORD_MAX && !signal.aborted) {
        const { value, done } = await this.#look.next()
        if (done === true) {
          this.#lookAgainIn(this.#refreshMs)
          this.#failures = 0
          break
        }
        records.push(value)
        bytes += (value.value as Buffer).length
      }
      return records
    } catch (error) {
      const failure = await this.#broken(error)
      // What came before the failure is good; the next look meets it again if it lasts.
      if (records.length > 0) return records
      throw failure
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#disconnect()
  }

  get #refreshMs(): number {
    return durationMs(this.#o.config['connect.ftp.refresh']) ?? 0
  }

  #lookAgainIn(ms: number): void {
    this.#look = undefined
    this.#nextLookMs = performance.now() + ms
  }

  async #broken(error: unknown): Promise<unknown> {
    const most = durationMs(this.#o.config['connect.ftp.max.backoff']) ?? 0
    const retryAfterMs = Math.min(most, this.#refreshMs * 2 ** Math.min(this.#failures++, 30))
    this.#lookAgainIn(0)
    await this.#disconnect()
    const isPassing = isConnectError(error) ? error.retriable : isPassingNetworkError(error)
    return isPassing ? new RetriableError((error as Error).message, { cause: error, retryAfterMs }) : error
  }

  async #disconnect(): Promise<void> {
    const [system, look] = [this.#system, this.#look]
    this.#system = undefined
    this.#look = undefined
    await system?.close().catch(() => undefined)
    await look?.return().catch(() => undefined)
  }

  async *#newRecords(): AsyncGenerator<SourceRecord, void> {
    const system = this.#system ?? (await this.#o.connect())
    if (this.#isStopped) {
      // The stop came beside this and had nothing to close.
      await system.close().catch(() => undefined)
      return
    }
    this.#system = system
    const maxAgeMs = durationMs(this.#o.config['connect.ftp.file.maxage']) ?? 0
    const seen = new Map<string, Published>()
    for (const monitor of this.#o.monitors) {
      const files = await filesOf(system, monitor.path)
      const young = files.filter(
        ({ path, modifiedMs }) => this.#matches(nameOf(path)) && modifiedMs >= Date.now() - maxAgeMs,
      )
      for (const file of young.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
        const before = this.#published.get(file.path) ?? (await this.#stored(file.path))
        yield* this.#fileRecords(system, monitor, file, before)
        const now = this.#published.get(file.path) ?? before
        if (now !== null) seen.set(file.path, now)
      }
    }
    // Files that are gone are forgotten; should they come back, the log knows them.
    this.#published = seen
  }

  async #stored(path: string): Promise<Published | null> {
    const stored = await this.#context.offsets.offset({ path })
    if (stored === null) return null
    const { offset, hash, size, timestamp } = stored
    if (
      typeof hash === 'string' &&
      [offset, size, timestamp].every((each) => Number.isSafeInteger(Number(each ?? NaN)))
    ) {
      return { offset: Number(offset), hash, size: Number(size), timestamp: Number(timestamp) }
    }
    throw new ConnectError(`the stored offset of ${path} is none of this connector: reset the connector's offsets`)
  }

  async *#fileRecords(
    system: FileSystem,
    monitor: Monitor,
    file: FileEntry,
    before: Published | null,
  ): AsyncGenerator<SourceRecord, void> {
    const { length, modifiedMs } = file
    const isSame = before?.size === length && before.timestamp === modifiedMs
    if (isSame && before.offset === length) return
    // A slice of the same file is followed by the next, and what grew by what was appended, if the start is still the same.
    const mayGoOn = before !== null && before.offset <= length && (isSame || monitor.isTail)
    const stream = await system.open(file.path, 0)
    try {
      const hash = createHash('sha256')
      const bytes = new Pieces(stream, length)
      let start = 0
      if (mayGoOn && (await bytes.hashUpTo(hash, before.offset)) === before.hash) start = before.offset
      else if (mayGoOn) {
        yield* this.#again(system, monitor, file)
        return
      }
      yield* this.#slices(monitor, file, bytes, hash, start)
    } finally {
      await stream.close()
    }
  }

  /** The start of the file is another than the one that was published. */
  async *#again(system: FileSystem, monitor: Monitor, file: FileEntry): AsyncGenerator<SourceRecord, void> {
    this.#published.delete(file.path)
    yield* this.#fileRecords(system, monitor, file, null)
  }

  async *#slices(
    monitor: Monitor,
    file: FileEntry,
    bytes: Pieces,
    hash: Hash,
    start: number,
  ): AsyncGenerator<SourceRecord, void> {
    const { length, modifiedMs } = file
    const wanted = this.#o.config['connect.ftp.monitor.slicesize']
    if (wanted === -1 && length - start > RECORD_MAX) {
      throw new ConnectError(
        `${file.path}: ${length - start} bytes are too many for a record; set connect.ftp.monitor.slicesize`,
      )
    }
    for (let offset = start; offset < length; ) {
      const value = await bytes.take(wanted === -1 ? length - offset : Math.min(wanted, length - offset))
      hash.update(value)
      const end = offset + value.length
      const published = { offset: end, hash: hash.copy().digest('hex'), size: length, timestamp: modifiedMs }
      this.#published.set(file.path, published)
      yield this.#record(monitor, file, value, offset, published)
      offset = end
    }
    if (length === 0) this.#published.set(file.path, emptyOf(file))
  }

  #record({ topic }: Monitor, file: FileEntry, value: Buffer, offset: number, published: Published): SourceRecord {
    const isStruct = this.#o.config['connect.ftp.keystyle'] === 'struct'
    const keySchema: Schema = isStruct ? KEY : schemas.string
    return {
      topic,
      partition: null,
      key: isStruct ? { name: file.path, offset: BigInt(offset) } : file.path,
      keySchema,
      value,
      valueSchema: schemas.bytes,
      headers: NO_HEADERS,
      timestamp: null,
      sourcePartition: { path: file.path },
      sourceOffset: { ...published } satisfies SourceOffset,
    }
  }
}

function emptyOf({ modifiedMs }: FileEntry): Published {
  return { offset: 0, hash: createHash('sha256').digest('hex'), size: 0, timestamp: modifiedMs }
}

/** The files that a path of a configuration means, with their full paths. */
async function filesOf(system: FileSystem, path: string): Promise<FileEntry[]> {
  const name = nameOf(path)
  const folder = path.slice(0, path.length - name.length)
  const inFolder = async (of: string): Promise<FileEntry[]> =>
    (await system.list(of, false)).map((file) => ({ ...file, path: joinPath(of, file.path) }))
  if (/[*?]/.test(name)) {
    const pattern = name
      .replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.')
    const matches = fullMatch(pattern)
    return (await inFolder(folder === '' ? '.' : folder)).filter((file) => matches(nameOf(file.path)))
  }
  const single = name === '' ? null : await system.stat(path)
  return single === null ? inFolder(path) : [{ ...single, path }]
}

/** The bytes of a stream in pieces of the sizes that are asked for, up to the length that the file had. */
class Pieces {
  readonly #stream: { next(): Promise<Buffer | null> }
  #rest: Buffer = Buffer.alloc(0)
  #left: number

  constructor(stream: { next(): Promise<Buffer | null> }, length: number) {
    this.#stream = stream
    this.#left = length
  }

  /** Passes bytes up to a position to a hash; its digest so far. */
  async hashUpTo(hash: Hash, end: number): Promise<string> {
    for (let at = 0; at < end; ) {
      const piece = await this.#next(end - at)
      hash.update(piece)
      at += piece.length
    }
    return hash.copy().digest('hex')
  }

  async take(size: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    for (let length = 0; length < size; ) {
      // Chunks are good until the next one.
      const piece = Buffer.from(await this.#next(size - length))
      pieces.push(piece)
      length += piece.length
    }
    return Buffer.concat(pieces)
  }

  async #next(max: number): Promise<Buffer> {
    if (this.#rest.length === 0) {
      const chunk = await this.#stream.next()
      // The next look at the server sees the file as it is then.
      if (chunk === null) throw new RetriableError('a file has become shorter while it was read')
      this.#rest = chunk
    }
    const piece = this.#rest.subarray(0, Math.min(max, this.#left))
    this.#rest = this.#rest.subarray(piece.length)
    this.#left -= piece.length
    return piece
  }
}
