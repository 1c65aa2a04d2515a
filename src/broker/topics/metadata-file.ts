import type { Disk } from '../../base/index.ts'

const FILE = 'millrace-metadata.json'
const VERSION = 1

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
  readonly brokerConfigs: Readonly<Record<string, string>>
  readonly topics: Readonly<Record<string, StoredTopic>>
  /** Ids of topics whose deletion was begun: their directories go at the next start if a crash left any. */
  readonly deletedTopicIds: readonly string[]
}

/** Thrown for a metadata file that cannot be trusted; starting without it would lose topics. */
export class MetadataFileError extends Error {
  override name = 'MetadataFileError'
  readonly code = 'METADATA_FILE_INVALID'
}

/** Reads the metadata of a data directory; undefined when it has none yet. */
export function readMetadataFile(disk: Disk, directory: string): StoredMetadata | undefined {
  const path = `${directory}/${FILE}`
  if (!disk.exists(path)) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(disk.readFile(path).toString('utf8'))
  } catch (error) {
    throw new MetadataFileError(
      `${path} is not JSON; restore it, or move it away to find topics by their directories`,
      {
        cause: error,
      },
    )
  }
  const stored = parsed as Partial<StoredMetadata> & { version?: unknown }
  if (stored.version !== VERSION || typeof stored.topics !== 'object') {
    throw new MetadataFileError(`${path} is of version ${String(stored.version)}; this broker reads version ${VERSION}`)
  }
  return {
    leaderEpoch: stored.leaderEpoch ?? 0,
    nextProducerId: stored.nextProducerId ?? 0,
    brokerConfigs: stored.brokerConfigs ?? {},
    topics: stored.topics,
    deletedTopicIds: stored.deletedTopicIds ?? [],
  }
}

/** Replaces the metadata of a data directory: after a crash the old or the new content is there, never a mixture. */
export function writeMetadataFile(disk: Disk, directory: string, metadata: StoredMetadata): void {
  disk.replaceFile(`${directory}/${FILE}`, `${JSON.stringify({ version: VERSION, ...metadata }, undefined, 1)}\n`)
}
