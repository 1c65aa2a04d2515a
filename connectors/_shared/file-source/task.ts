import {
  type CommittedOffset,
  ConnectError,
  isConnectError,
  type PollResult,
  RetriableError,
  type SourcePosition,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import { isPassingNetworkError, pause } from '../retry/index.ts'
import { type CleanupOptions, putAway, removeEmptyFolders } from './cleanup.ts'
import { type FileAttribute, sortFiles, taskOf } from './file-list.ts'
import { type FileEntry, type FileSystem, joinPath, nameOf } from './file-system.ts'
import { Leases } from './lease.ts'
import { type OpenFile, openFile, type Place } from './open-file.ts'
import { type Outcome, offsetOf, type Progress, progressOf } from './progress.ts'
import type { ReaderFactory } from './reader.ts'
import { fileHeaders, type FileOrigin, FileRecord, JsonFileRecord } from './record.ts'

/** What a source of files does, whatever the files are and wherever they lie. */
export interface FileSourceOptions {
  readonly connect: () => Promise<FileSystem>
  readonly makeReader: ReaderFactory
  readonly topic: string
  readonly matches: (name: string) => boolean
  readonly recursive: boolean
  readonly sort: readonly FileAttribute[]
  readonly minimumAgeMs: number
  readonly batchSize: number
  readonly emptyPollWaitMs: number
  readonly haltOnError: boolean
  readonly fileTime: boolean
  readonly withHeaders: boolean
  readonly cleanup: CleanupOptions
  readonly leaseExtension: string
  readonly leaseTimeoutMs: number
  readonly taskIndex: number
  readonly taskCount: number
}

/** A file whose rows were all given, until the log has them and it is put away. */
interface Finished {
  readonly entry: FileEntry
  readonly outcome: Outcome
  isDurable: boolean
}

interface Candidate {
  readonly entry: FileEntry
  readonly progress: Progress
}

interface Reading {
  readonly file: OpenFile
  readonly origin: FileOrigin
  failure: Error | undefined
}

const START: Progress = { rows: 0, position: 0, skip: 0, outcome: null }
/** So many offsets are asked for at once. */
const OFFSETS_MAX = 1000
const RETRY_MS = 1000

/**
 * Reads the files of a folder one after another. A file is put away when the offset that says that it was read is committed:
 * all of its records are in the log then (Invariant 1 makes one follow from the other), so a crash at any point loses none.
 */
export class FileSourceTask implements SourceTask {
  readonly #o: FileSourceOptions
  readonly #context: SourceTaskContext
  readonly #leases: Leases
  #system: FileSystem | undefined
  #isStopped = false
  #queue: Candidate[] = []
  #reading: Reading | undefined
  /** Where a file goes on that was left because the connection broke. */
  #interrupted: Candidate | undefined
  /** Ends of files that could not even be opened. */
  readonly #unreadable: SourcePosition[] = []
  readonly #finished = new Map<string, Finished>()
  /** Files that were read and stay where they are, as long as they do. */
  readonly #kept = new Map<string, FileEntry>()

  constructor(options: FileSourceOptions, context: SourceTaskContext) {
    this.#o = options
    this.#context = context
    this.#leases = new Leases({
      fileSystem: () => this.#connected(),
      folder: options.cleanup.inputFolder,
      extension: options.leaseExtension,
      owner: context.connectorName,
      timeoutMs: options.leaseTimeoutMs,
      nowMs: () => performance.now(),
    })
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    try {
      await this.#putAwayDurable()
      await this.#leases.renew()
      const reading = this.#reading ?? (await this.#openNext())
      if (this.#unreadable.length > 0) return this.#unreadable.splice(0)
      if (reading !== undefined) return await this.#read(reading, signal)
    } catch (error) {
      await this.#broken(error)
    }
    await pause(this.#o.emptyPollWaitMs, signal)
    return null
  }

  /** Puts files away whose records are all in the log. */
  async commit(offsets: readonly CommittedOffset[]): Promise<void> {
    for (const { sourcePartition, sourceOffset } of offsets) {
      const finished = this.#finished.get(String(sourcePartition['fileName']))
      if (finished !== undefined && sourceOffset['outcome'] !== undefined) finished.isDurable = true
    }
    // The next poll tries again what fails here, and says so.
    await this.#putAwayDurable().catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#reading?.file.close()
    this.#reading = undefined
    if (this.#system === undefined) return
    // A lease that stays behind is taken again by the next task of this connector.
    await this.#leases.releaseAll().catch(() => undefined)
    await this.#disconnect()
  }

  async #connected(): Promise<FileSystem> {
    if (this.#system !== undefined) return this.#system
    const system = await this.#o.connect()
    if (this.#isStopped) {
      // The stop came beside this and had nothing to close.
      await system.close().catch(() => undefined)
      throw new RetriableError('the task was stopped')
    }
    this.#system = system
    return system
  }

  async #disconnect(): Promise<void> {
    const system = this.#system
    this.#system = undefined
    await system?.close().catch(() => undefined)
  }

  /** A connection that broke is made anew, and the file that was being read goes on where it was. */
  async #broken(error: unknown): Promise<never> {
    const reading = this.#reading
    this.#reading = undefined
    if (reading !== undefined) {
      const { entry, place } = reading.file
      this.#interrupted = { entry, progress: { ...place, outcome: null } }
      await reading.file.close().catch(() => undefined)
    }
    await this.#disconnect()
    if (isConnectError(error) || !isPassingNetworkError(error)) throw error
    throw new RetriableError((error as Error).message, { cause: error, retryAfterMs: RETRY_MS })
  }

  async #putAwayDurable(): Promise<void> {
    for (const [path, finished] of this.#finished) {
      if (!finished.isDurable) continue
      const { entry, outcome } = finished
      const system = await this.#connected()
      const isSame = await putAway(system, entry, outcome, this.#o.cleanup)
      await this.#leases.release(path)
      await removeEmptyFolders(system, path, this.#o.cleanup)
      this.#finished.delete(path)
      if (!isSame) this.#warnOther(path)
      else if (outcome === 'done' && this.#o.cleanup.policy === 'NONE') this.#kept.set(path, entry)
    }
  }

  #warnOther(path: string): void {
    this.#context.logger.warn(
      { file: path },
      'the file has changed since it was read, and is read again from its start; file.minimum.age.ms keeps files that ' +
        'are still written to from being read',
    )
  }

  async #openNext(): Promise<Reading | undefined> {
    if (this.#interrupted !== undefined) {
      const { entry, progress } = this.#interrupted
      const now = await (await this.#connected()).stat(joinPath(this.#o.cleanup.inputFolder, entry.path))
      this.#interrupted = undefined
      if (now?.length === entry.length && now.modifiedMs === entry.modifiedMs) return this.#open({ entry, progress })
    }
    if (this.#queue.length === 0) await this.#list()
    for (let candidate = this.#queue.shift(); candidate !== undefined; candidate = this.#queue.shift()) {
      const { path } = candidate.entry
      if (this.#needsLease && !(await this.#leases.take(path))) continue
      const now = await (await this.#connected()).stat(joinPath(this.#o.cleanup.inputFolder, path))
      if (now !== null && now.length === candidate.entry.length && now.modifiedMs === candidate.entry.modifiedMs) {
        const reading = await this.#open(candidate)
        if (reading !== undefined) return reading
        continue
      }
      // Taken away or changed since the listing: the next one tells.
      await this.#leases.release(path)
    }
    return undefined
  }

  /** Reading a file that stays where it is disturbs nobody else who reads it. */
  get #needsLease(): boolean {
    return this.#o.cleanup.policy !== 'NONE'
  }

  async #open({ entry, progress }: Candidate): Promise<Reading | undefined> {
    const { cleanup, topic, withHeaders, makeReader } = this.#o
    const { path } = entry
    const origin: FileOrigin = {
      topic,
      partition: { fileName: path },
      headers: withHeaders ? fileHeaders(entry, joinPath(cleanup.inputFolder, path)) : null,
    }
    const system = await this.#connected()
    try {
      const file = await openFile(system, cleanup.inputFolder, entry, progress, makeReader)
      this.#reading = { file, origin, failure: undefined }
      return this.#reading
    } catch (error) {
      if (!isConnectError(error) || error.code !== 'DATA') throw error
      this.#halt(path, progress.rows, error)
      this.#unreadable.push(this.#finishedAt(entry, origin, progress, 'failed'))
      return undefined
    }
  }

  /** Finds files that nobody has read yet; those that were read and not put away, before a crash, are put away. */
  async #list(): Promise<void> {
    const { cleanup, recursive, taskIndex, taskCount, matches, minimumAgeMs, sort } = this.#o
    const system = await this.#connected()
    const all = await system.list(cleanup.inputFolder, recursive)
    const paths = new Set(all.map(({ path }) => path))
    this.#leases.forget((path) => paths.has(path))
    if (this.#needsLease) {
      await this.#leases.sweep(paths, (path) => taskOf(path, taskCount) === taskIndex && matches(nameOf(path)))
    }
    for (const path of this.#kept.keys()) if (!paths.has(path)) this.#kept.delete(path)
    const youngest = Date.now() - minimumAgeMs
    const files = all.filter(
      ({ path, length, modifiedMs }) =>
        !this.#leases.isLease(path) &&
        matches(nameOf(path)) &&
        taskOf(path, taskCount) === taskIndex &&
        (minimumAgeMs === 0 || modifiedMs <= youngest) &&
        !this.#finished.has(path) &&
        !(this.#kept.get(path)?.length === length && this.#kept.get(path)?.modifiedMs === modifiedMs),
    )
    const sorted = sortFiles(files, sort).slice(0, OFFSETS_MAX)
    const stored = await this.#context.offsets.offsets(sorted.map(({ path }) => ({ fileName: path })))
    for (const [index, entry] of sorted.entries()) {
      const progress = progressOf(entry, stored[index] ?? null)
      if (progress === 'other file') this.#warnReplaced(entry.path)
      const known = progress === 'other file' || progress === null ? START : progress
      if (known.outcome === null) this.#queue.push({ entry, progress: known })
      else this.#finished.set(entry.path, { entry, outcome: known.outcome, isDurable: true })
    }
    await this.#putAwayDurable()
  }

  #warnReplaced(path: string): void {
    this.#context.logger.info(
      { file: path },
      'a file of this name was read before; this one is another, and is read too',
    )
  }

  async #read(reading: Reading, signal: AbortSignal): Promise<PollResult> {
    const { file, origin } = reading
    const { batchSize, fileTime } = this.#o
    const system = await this.#connected()
    const records: SourceRecord[] = []
    const timestamp = fileTime ? file.entry.modifiedMs : Date.now()
    try {
      if (reading.failure !== undefined) throw reading.failure
      for (;;) {
        const { entry } = file
        while (records.length < batchSize) {
          const row = file.next()
          if (row === undefined) break
          const offset = offsetOf(entry, file.place)
          const Kind = row.jsonText === undefined ? FileRecord : JsonFileRecord
          records.push(new Kind(row, origin, offset, timestamp))
        }
        // What was read is given before more is waited for.
        if (records.length > 0 || signal.aborted) return records
        if (!(await file.fill(system))) return await this.#finish(reading, 'done')
      }
    } catch (error) {
      if (!isConnectError(error) || error.code !== 'DATA') throw error
      if (records.length > 0) {
        reading.failure = error
        return records
      }
      this.#halt(file.entry.path, file.place.rows, error)
      return await this.#finish(reading, 'failed')
    }
  }

  /** The position that says that a file was read comes after all of its records, and is committed after them. */
  async #finish({ file, origin }: Reading, outcome: Outcome): Promise<readonly SourcePosition[]> {
    this.#reading = undefined
    const { entry, place } = file
    await file.close()
    return [this.#finishedAt(entry, origin, place, outcome)]
  }

  #finishedAt(entry: FileEntry, origin: FileOrigin, place: Place, outcome: Outcome): SourcePosition {
    this.#finished.set(entry.path, { entry, outcome, isDurable: false })
    return { topic: null, sourcePartition: origin.partition, sourceOffset: offsetOf(entry, place, outcome) }
  }

  /** Ends the task over data that cannot be read, or goes on with the next file, as the configuration says. */
  #halt(path: string, rows: number, error: Error): void {
    const { cleanup, haltOnError } = this.#o
    const message = `${joinPath(cleanup.inputFolder, path)}, behind record ${rows}: ${error.message}`
    if (haltOnError) {
      throw new ConnectError(`${message} (halt.on.error=false would move the file to error.path)`, { cause: error })
    }
    this.#context.logger.error({ file: path, records: rows }, `${message}; the file is moved to error.path`)
  }
}
