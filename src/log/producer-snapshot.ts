import { type Disk, readInt64, writeInt64 } from '../base/index.ts'
import { crc32c } from '../record/index.ts'
import { offsetFileName, offsetOfFileName, SUFFIX } from './file-names.ts'
import type { ProducerEntry, ProducerState } from './producer-state.ts'

/*
 * Producer snapshot, named by the offset up to which it holds:
 *   int16 version 1 | uint32 crc32c of what follows | int32 count | entries of
 *   int64 producerId | int16 epoch | int32 lastSequence | int64 lastOffset | int32 offsetDelta | int64 timestamp |
 *   int32 coordinatorEpoch | int64 currentTxnFirstOffset
 */
const VERSION = 1
const HEADER_SIZE = 10
const CRC_FROM = 6
const ENTRY_SIZE = 46

/** The bytes of a snapshot. Of each producer only the newest batch is kept, as in Kafka. */
export function encodeSnapshot(state: ProducerState): Buffer {
  const buffer = Buffer.alloc(HEADER_SIZE + state.size * ENTRY_SIZE)
  buffer.writeInt16BE(VERSION, 0)
  buffer.writeInt32BE(state.size, CRC_FROM)
  let position = HEADER_SIZE
  for (const entry of state.entries()) {
    const last = entry.batches.at(-1)
    writeInt64(buffer, entry.producerId, position)
    buffer.writeInt16BE(entry.epoch, position + 8)
    buffer.writeInt32BE(last?.lastSequence ?? -1, position + 10)
    writeInt64(buffer, last?.lastOffset ?? -1, position + 14)
    buffer.writeInt32BE(last?.offsetDelta ?? 0, position + 22)
    writeInt64(buffer, entry.lastTimestamp, position + 26)
    buffer.writeInt32BE(entry.coordinatorEpoch, position + 34)
    writeInt64(buffer, entry.currentTxnFirstOffset, position + 38)
    position += ENTRY_SIZE
  }
  buffer.writeUInt32BE(crc32c(buffer, CRC_FROM), 2)
  return buffer
}

/** The entries of a snapshot; undefined when its bytes are damaged. */
export function decodeSnapshot(buffer: Buffer): ProducerEntry[] | undefined {
  if (buffer.length < HEADER_SIZE || buffer.readInt16BE(0) !== VERSION) return undefined
  const count = buffer.readInt32BE(CRC_FROM)
  if (count < 0 || buffer.length !== HEADER_SIZE + count * ENTRY_SIZE) return undefined
  if (crc32c(buffer, CRC_FROM) !== buffer.readUInt32BE(2)) return undefined
  return Array.from({ length: count }, (_, i) => decodeEntry(buffer, HEADER_SIZE + i * ENTRY_SIZE))
}

function decodeEntry(buffer: Buffer, position: number): ProducerEntry {
  const lastSequence = buffer.readInt32BE(position + 10)
  const lastOffset = readInt64(buffer, position + 14)
  const offsetDelta = buffer.readInt32BE(position + 22)
  const timestamp = readInt64(buffer, position + 26)
  return {
    producerId: readInt64(buffer, position),
    epoch: buffer.readInt16BE(position + 8),
    coordinatorEpoch: buffer.readInt32BE(position + 34),
    lastTimestamp: timestamp,
    currentTxnFirstOffset: readInt64(buffer, position + 38),
    batches: lastOffset < 0 ? [] : [{ lastSequence, lastOffset, offsetDelta, timestamp }],
  }
}

function snapshotPath(directory: string, offset: number): string {
  return `${directory}/${offsetFileName(offset, SUFFIX.snapshot)}`
}

/** Offsets of the snapshots of a directory, ascending. */
export function listSnapshots(disk: Disk, directory: string): number[] {
  return disk
    .list(directory)
    .map((name) => offsetOfFileName(name, SUFFIX.snapshot))
    .filter((offset) => offset !== undefined)
    .sort((a, b) => a - b)
}

/**
 * Writes the snapshot that holds up to `offset`. Without `durable` a crash may leave it damaged, which loading notices;
 * the append path uses that, for a sync of the directory may take as long as all unwritten pages of the disk.
 */
export function writeSnapshot(
  disk: Disk,
  directory: string,
  offset: number,
  state: ProducerState,
  durable: boolean,
): void {
  const path = snapshotPath(directory, offset)
  if (durable) {
    disk.replaceFile(path, encodeSnapshot(state))
    return
  }
  if (disk.exists(path)) disk.unlink(path)
  const file = disk.open(path, 'create')
  try {
    file.write([encodeSnapshot(state)], 0)
  } finally {
    file.close()
  }
}

/** Makes a snapshot that was written without `durable` so, when it is still there. */
export async function syncSnapshot(disk: Disk, directory: string, offset: number): Promise<void> {
  const path = snapshotPath(directory, offset)
  if (!disk.exists(path)) return
  const file = disk.open(path, 'read-write')
  try {
    await file.sync()
  } finally {
    file.close()
  }
}

/** The same, blocking. */
export function syncSnapshotNow(disk: Disk, directory: string, offset: number): void {
  const path = snapshotPath(directory, offset)
  if (!disk.exists(path)) return
  const file = disk.open(path, 'read-write')
  try {
    file.syncNow()
  } finally {
    file.close()
  }
}

/** Loads the newest undamaged snapshot at or below `offset` and returns the offset up to which it holds, -1 without one. */
export function loadNewestSnapshot(disk: Disk, directory: string, offset: number, state: ProducerState): number {
  for (const candidate of listSnapshots(disk, directory).reverse()) {
    if (candidate > offset) continue
    const entries = decodeSnapshot(disk.readFile(snapshotPath(directory, candidate)))
    if (!entries) {
      // Invariant 8: a damaged snapshot is not half-believed; an older one and a longer replay give the same state.
      disk.unlink(snapshotPath(directory, candidate))
      continue
    }
    for (const entry of entries) state.load(entry)
    return candidate
  }
  return -1
}

/** Deletes snapshots except those that `keep` holds on to. */
export function removeSnapshots(disk: Disk, directory: string, keep: (offset: number) => boolean): void {
  for (const offset of listSnapshots(disk, directory)) {
    if (!keep(offset)) disk.unlink(snapshotPath(directory, offset))
  }
}
