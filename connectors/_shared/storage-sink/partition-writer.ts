import { ConnectError, type SinkRecord, type TopicPartition } from '@millrace/sdk'
import { type FileLayout, OpenFile } from './open-file.ts'
import type { Partitioner } from './partitioner.ts'
import { hasValue } from './record-field.ts'
import { nextRotation } from './schedule.ts'
import { type Compatibility, endsFile, project } from './schema-change.ts'
import type { UploadGroup } from './uploader.ts'
import type { ZoneOffset } from './zone.ts'

/** Files of one topic partition that end together. */
interface CommitGroup extends UploadGroup {
  readonly startOffset: number
  readonly endOffset: number
}

/** What all topic partitions of a task have in common. */
export interface WriterSettings {
  readonly partitioner: Partitioner
  readonly layout: FileLayout
  readonly compatibility: Compatibility
  readonly flushSize: number
  readonly rotateIntervalMs: number
  readonly scheduleIntervalMs: number
  readonly zone: ZoneOffset
  readonly rotateOnPartitionChange: boolean
  readonly maxOpenFiles: number
  readonly tombstoneFolder: string
  readonly conflictsMax: number
  readonly now: () => number
  readonly submit: (group: UploadGroup) => void
}

/**
 * The open files of one topic partition. They all end together, so that the offset after them means that everything before
 * it is stored. When they end depends on the records alone, unless the clock is asked for: a replay then makes the same
 * files with the same names, which is what makes writing exactly once.
 */
export class PartitionWriter {
  readonly topicPartition: TopicPartition
  readonly #s: WriterSettings
  readonly #files = new Map<string, OpenFile>()
  /** Ended files, oldest first. */
  readonly #groups: CommitGroup[] = []
  /** Per folder, up to which offset an earlier run has stored its records. */
  readonly #stored = new Map<string, number>()
  #count = 0
  #startOffset = 0
  #baseMs: number | null = null
  #lastMs: number | null = null
  #folder: string | null = null
  #nextRotationMs = 0
  #conflicts = 0
  /** Records are to be read again: what was delivered behind them does not count. */
  #isRewinding = false
  #lastTopic = ''
  #lastFolder = ''
  #lastKey = ''
  /** The next offset expected; null before the first record. */
  nextOffset: number | null = null
  /** Everything before this offset is stored; null when nothing was since the partition came. */
  committed: number | null = null

  constructor(topicPartition: TopicPartition, settings: WriterSettings) {
    this.topicPartition = topicPartition
    this.#s = settings
    this.#planRotation()
  }

  get files(): Iterable<OpenFile> {
    return this.#files.values()
  }

  /** Nothing is open nor on its way. */
  get isEmpty(): boolean {
    this.#settle()
    return this.#count === 0 && this.#groups.length === 0 && !this.#isRewinding
  }

  /** When the clock ends the open files next; infinite when it does not. */
  get nextRotationMs(): number {
    return this.#count > 0 && this.#s.scheduleIntervalMs > 0 ? this.#nextRotationMs : Number.POSITIVE_INFINITY
  }

  /** Takes a record. Throws DataError, and takes nothing, when it has no place. */
  write(record: SinkRecord): void {
    const { partitioner, now, flushSize, maxOpenFiles, scheduleIntervalMs } = this.#s
    this.#isRewinding = false
    const isTombstone = !hasValue(record)
    const nowMs = partitioner.extract !== null || scheduleIntervalMs > 0 ? now() : 0
    const timestampMs = this.#timestampOf(record, isTombstone, nowMs)
    const folder = isTombstone ? this.#s.tombstoneFolder : partitioner.encode(record, timestampMs)
    const key = this.#keyOf(record.topic, folder)
    // Records of a restart that are stored already, in an object that may not be written again.
    const storedOffset = this.#stored.get(key)
    if (storedOffset !== undefined && record.originalOffset <= storedOffset) {
      this.skip(record)
      return
    }
    const current = this.#files.get(key)
    if (this.#endsFile(current, record, isTombstone) || this.#isDue(folder, timestampMs, nowMs)) this.rotate()
    else if (maxOpenFiles > 0 && current === undefined && this.#files.size >= maxOpenFiles) this.rotate()
    this.#add(record, key, folder)
    this.#baseMs ??= timestampMs
    this.#lastMs = timestampMs
    this.#folder = folder
    if (this.#count >= flushSize) this.rotate()
  }

  /** Ends files whose time has come although no record came. */
  tick(): void {
    const { partitioner, now } = this.#s
    const nowMs = now()
    if (this.#folder === null) return
    // By the clock time passes by itself; by records it passes with them.
    const timestampMs = partitioner.extract === null || partitioner.deterministic ? this.#lastMs : nowMs
    if (this.#isDue(this.#folder, timestampMs, nowMs)) this.rotate()
  }

  /** Ends all open files and hands them over to be stored. */
  rotate(): void {
    this.#planRotation()
    if (this.#count === 0) return
    const files = [...this.#files.values()]
    const group = { startOffset: this.#startOffset, endOffset: this.nextOffset as number, files, conflicts: [] }
    this.#files.clear()
    this.#count = 0
    this.#baseMs = null
    const submitted: CommitGroup = { ...group, remaining: files.length }
    this.#groups.push(submitted)
    this.#s.submit(submitted)
  }

  /** Moves `committed` over what is stored by now, without a gap. */
  #settle(): void {
    for (let group = this.#groups[0]; group !== undefined && group.remaining === 0; group = this.#groups[0]) {
      if (group.conflicts.length > 0) return
      this.#groups.shift()
      this.committed = group.endOffset
      this.#conflicts = 0
      for (const [key, offset] of this.#stored) if (offset < group.endOffset) this.#stored.delete(key)
    }
  }

  /** The offset that may be committed; null when there is nothing new. */
  committable(): number | null {
    this.#settle()
    return this.committed
  }

  /** Whether files are on their way, or have been found stored already. */
  get isWaiting(): boolean {
    this.#settle()
    return this.#groups.length > 0
  }

  /**
   * Part of what ended was stored by an earlier run with other limits: the offset to read from again, leaving out what is
   * stored. Null when there was no such conflict. Needs that all groups have ended.
   */
  async resolveConflict(): Promise<number | null> {
    this.#settle()
    const [group] = this.#groups
    if (group === undefined || group.remaining > 0 || group.conflicts.length === 0) return null
    this.#conflicts++
    if (this.#conflicts > this.#s.conflictsMax) {
      const { topic, partition } = this.topicPartition
      throw new ConnectError(
        `${topic}-${partition}: ${this.#conflicts} objects in a row were stored already; see max.files.scan.limit`,
      )
    }
    for (const { file, storedOffset } of group.conflicts) {
      this.#stored.set(`${file.topic}\u0000${file.folder}`, storedOffset)
    }
    // What came after them is read again too.
    await this.dispose()
    this.nextOffset = group.startOffset
    this.#isRewinding = true
    return group.startOffset
  }

  async dispose(): Promise<void> {
    const files = [...this.#files.values(), ...this.#groups.flatMap((group) => group.files)]
    this.#files.clear()
    this.#groups.length = 0
    this.#count = 0
    for (const file of files) await file.dispose()
  }

  #endsFile(current: OpenFile | undefined, { valueSchema }: SinkRecord, isTombstone: boolean): boolean {
    if (isTombstone || current === undefined || current.knownSchema === valueSchema) return false
    if (endsFile(this.#s.compatibility, current.schema, valueSchema)) return true
    current.knownSchema = valueSchema
    return false
  }

  #timestampOf(record: SinkRecord, isTombstone: boolean, nowMs: number): number | null {
    const { extract } = this.#s.partitioner
    if (extract === null) return null
    return isTombstone ? (record.timestamp ?? nowMs) : extract(record, nowMs)
  }

  #add(record: SinkRecord, key: string, folder: string): void {
    const known = this.#files.get(key)
    const { layout } = this.#s
    const file = known ?? new OpenFile(record, folder, record.valueSchema, layout)
    const from = record.valueSchema
    const to = file.schema
    const json = layout.format.takesJson ? record.jsonValue?.() : null
    const fits = from === to || from === null || to === null
    if (json) file.addJson(record, json)
    else if (fits || this.#s.compatibility === 'NONE') file.add(record, from, record.value)
    else file.add(record, to, project(from, to, record.value))
    if (known === undefined) this.#files.set(key, file)
    if (this.#count === 0) this.#startOffset = record.originalOffset
    this.#count++
    this.nextOffset = record.originalOffset + 1
  }

  /** Most records go where the one before went, so that its key is looked up without being made and hashed. */
  #keyOf(topic: string, folder: string): string {
    if (topic !== this.#lastTopic || folder !== this.#lastFolder) {
      this.#lastTopic = topic
      this.#lastFolder = folder
      this.#lastKey = `${topic}\u0000${folder}`
    }
    return this.#lastKey
  }

  /** Goes over a record that is left out: it was stored before, is not wanted, or went to the dead letter queue. */
  skip(record: SinkRecord): void {
    this.#isRewinding = false
    this.nextOffset = record.originalOffset + 1
  }

  /** The topic was made anew: what is known of its old offsets counts no more. */
  startOver(): void {
    this.rotate()
    this.#stored.clear()
  }

  #isDue(folder: string, timestampMs: number | null, nowMs: number): boolean {
    const { rotateIntervalMs, rotateOnPartitionChange, scheduleIntervalMs } = this.#s
    if (scheduleIntervalMs > 0 && nowMs >= this.#nextRotationMs) {
      if (this.#count > 0) return true
      this.#planRotation()
    }
    if (this.#count === 0 || rotateIntervalMs <= 0 || timestampMs === null || this.#baseMs === null) return false
    const isOther = rotateOnPartitionChange && folder !== this.#folder
    return isOther || timestampMs - this.#baseMs >= rotateIntervalMs
  }

  #planRotation(): void {
    const { scheduleIntervalMs, zone, now } = this.#s
    if (scheduleIntervalMs > 0) this.#nextRotationMs = nextRotation(now(), scheduleIntervalMs, zone)
  }
}
