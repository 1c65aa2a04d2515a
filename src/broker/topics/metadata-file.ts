import type { Disk } from '../../base/index.ts'
import { crc32c } from '../../record/index.ts'

const FILE = 'millrace-metadata.json'
const JOURNAL = 'millrace-metadata.journal'
const VERSION = 2
/** A journal is folded into the file when it is this long and longer than the file: so writing is cheap, and so is reading. */
const JOURNAL_MIN_BYTES = 64 << 10

/** A topic as it is kept over restarts. */
export interface StoredTopic {
  readonly id: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

/** What the broker knows besides its logs. */
export interface StoredMetadata {
  readonly leaderEpoch: number
  /** Producer ids below this were handed out, or may have been. */
  readonly nextProducerId: number
  /** What was set on this broker while it ran. */
  readonly brokerConfigs: Readonly<Record<string, string>>
  /** What was set as the default of all brokers while it ran. */
  readonly defaultBrokerConfigs: Readonly<Record<string, string>>
  readonly topics: Readonly<Record<string, StoredTopic>>
  /** Ids of topics whose deletion was begun: their directories go at the next start if a crash left any. */
  readonly deletedTopicIds: readonly string[]
}

/** What one line of the journal changes; what is left out stays. A topic that is null is gone. */
export type MetadataChange = Partial<Omit<StoredMetadata, 'topics'>> & {
  readonly topics?: Readonly<Record<string, StoredTopic | null>>
}

/** Thrown for a metadata file that cannot be trusted; starting without it would lose topics. */
export class MetadataFileError extends Error {
  override name = 'MetadataFileError'
  readonly code = 'METADATA_FILE_INVALID'
}

/** The metadata of a data directory, and which journal belongs to it. */
export interface MetadataFile {
  readonly stored: StoredMetadata
  /** A journal of another generation is older than the file. */
  readonly generation: number
}

/** Reads the metadata of a data directory with the changes of its journal; undefined when it has none yet. */
export function readMetadataFile(disk: Disk, directory: string): MetadataFile | undefined {
  const path = `${directory}/${FILE}`
  if (!disk.exists(path)) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(disk.readFile(path).toString('utf8'))
  } catch (cause) {
    const fix = 'restore it, or move it away to find topics by their directories'
    throw new MetadataFileError(`${path} is not JSON; ${fix}`, { cause })
  }
  const read = parsed as Partial<StoredMetadata> & { version?: unknown; generation?: number }
  if ((read.version !== VERSION && read.version !== 1) || typeof read.topics !== 'object') {
    throw new MetadataFileError(`${path} is of version ${String(read.version)}; this broker reads up to ${VERSION}`)
  }
  const stored: StoredMetadata = {
    leaderEpoch: read.leaderEpoch ?? 0,
    nextProducerId: read.nextProducerId ?? 0,
    brokerConfigs: read.brokerConfigs ?? {},
    defaultBrokerConfigs: read.defaultBrokerConfigs ?? {},
    topics: read.topics,
    deletedTopicIds: read.deletedTopicIds ?? [],
  }
  const generation = read.generation ?? 0
  return { stored: withChanges(stored, readJournal(disk, `${directory}/${JOURNAL}`, generation)), generation }
}

function withChanges(stored: StoredMetadata, changes: readonly MetadataChange[]): StoredMetadata {
  const topics = new Map(Object.entries(stored.topics))
  let result = stored
  for (const { topics: changed = {}, ...others } of changes) {
    for (const [name, topic] of Object.entries(changed)) {
      if (topic === null) topics.delete(name)
      else topics.set(name, topic)
    }
    result = { ...result, ...others }
  }
  return { ...result, topics: Object.fromEntries(topics) }
}

/** Lines are `<crc32c of what follows, in hex> <generation> <change as JSON>`. */
function encodeLine(generation: number, change: MetadataChange): Buffer {
  const text = `${generation} ${JSON.stringify(change)}`
  return Buffer.from(`${checksum(Buffer.from(text))} ${text}\n`)
}

function checksum(bytes: Buffer): string {
  return crc32c(bytes, 0, bytes.length).toString(16).padStart(8, '0')
}

/**
 * The changes of a journal, but not a last line that a crash cut: nobody was told of it. A bad line before a good one
 * means that something was lost that was acknowledged.
 */
function readJournal(disk: Disk, path: string, generation: number): MetadataChange[] {
  if (!disk.exists(path)) return []
  const changes: MetadataChange[] = []
  let badLine = 0
  for (const [i, line] of disk.readFile(path).toString('utf8').split('\n').entries()) {
    const change = decodeLine(line, generation)
    if (change === undefined) badLine ||= i + 1
    else if (badLine === 0) changes.push(change)
    else {
      throw new MetadataFileError(
        `${path} is damaged in line ${badLine}; restore it, or move it away to do without the changes in it`,
      )
    }
  }
  return changes
}

function decodeLine(line: string, generation: number): MetadataChange | undefined {
  // Invariant 8: a line is believed when its checksum agrees.
  const match = /^([0-9a-f]{8}) ((\d+) (\{.*\}))$/.exec(line)
  if (match === null || match[1] !== checksum(Buffer.from(match[2]!)) || Number(match[3]) !== generation) {
    return undefined
  }
  return JSON.parse(match[4]!) as MetadataChange
}

/**
 * Keeps the metadata of a data directory: a file with everything and a journal of what changed since. A change costs one
 * sync of a few bytes, however many topics there are.
 */
export class MetadataStore {
  readonly #disk: Disk
  readonly #directory: string
  #generation: number
  #fileBytes = 0
  #journalBytes = 0

  constructor(disk: Disk, directory: string, read: MetadataFile | undefined) {
    this.#disk = disk
    this.#directory = directory
    this.#generation = read?.generation ?? 0
  }

  /** Writes everything anew: after a crash the old or the new content is there, never a mixture. */
  replace(metadata: StoredMetadata): void {
    const generation = this.#generation + 1
    const content = Buffer.from(`${JSON.stringify({ version: VERSION, generation, ...metadata }, undefined, 1)}\n`)
    this.#disk.replaceFile(`${this.#directory}/${FILE}`, content)
    // From here on the lines of the journal are of an older generation, so that cutting it needs no sync.
    this.#generation = generation
    this.#fileBytes = content.length
    this.#journalBytes = 0
    this.#withJournal((file) => file.truncate(0))
  }

  /** Makes a change durable; `all` is asked for everything, the change included, when it is time to write that. */
  change(change: MetadataChange, all: () => StoredMetadata): void {
    if (this.#journalBytes > Math.max(JOURNAL_MIN_BYTES, this.#fileBytes)) {
      this.replace(all())
      return
    }
    const line = encodeLine(this.#generation, change)
    this.#withJournal((file) => {
      try {
        file.write([line], this.#journalBytes)
        file.syncNow()
      } catch (error) {
        // A torn line must not be followed by another one.
        file.truncate(this.#journalBytes)
        throw error
      }
    })
    this.#journalBytes += line.length
  }

  #withJournal(action: (file: ReturnType<Disk['open']>) => void): void {
    const path = `${this.#directory}/${JOURNAL}`
    const isNew = !this.#disk.exists(path)
    const file = this.#disk.open(path, isNew ? 'create' : 'read-write')
    try {
      action(file)
      if (isNew) this.#disk.syncDirectory(this.#directory)
    } finally {
      file.close()
    }
  }
}
