import type { Disk } from '../base/index.ts'
import { PARTITION_METADATA_FILE } from './file-names.ts'

/** The topic id in `partition.metadata` (KIP-516): 22 characters of base64url. Undefined without the file or with a damaged one. */
export function readTopicId(disk: Disk, directory: string): string | undefined {
  const path = `${directory}/${PARTITION_METADATA_FILE}`
  if (!disk.exists(path)) return undefined
  const match = /^version: 0\r?\ntopic_id: ([A-Za-z0-9_-]{22})\s*$/.exec(disk.readFile(path).toString('utf8'))
  return match?.[1]
}

/** Writes the topic id of a new partition; it is durable after `syncTopicId`. */
export function writeTopicId(disk: Disk, directory: string, topicId: string): void {
  const path = `${directory}/${PARTITION_METADATA_FILE}`
  if (disk.exists(path)) disk.unlink(path)
  const file = disk.open(path, 'create')
  try {
    file.write([Buffer.from(`version: 0\ntopic_id: ${topicId}\n`)], 0)
  } finally {
    file.close()
  }
}

/** Makes the topic id durable, off the main thread. */
export async function syncTopicId(disk: Disk, directory: string): Promise<void> {
  const file = disk.open(`${directory}/${PARTITION_METADATA_FILE}`, 'read-write')
  try {
    await file.sync()
  } finally {
    file.close()
  }
}
