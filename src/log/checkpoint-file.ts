import type { Disk } from '../base/index.ts'

/*
 * Kafka's checkpoint files are text: a version line "0", a line with the number of entries, one line per entry with
 * fields between spaces. Offset checkpoints of a data directory have "topic partition offset", the leader epoch
 * checkpoint of a partition has "epoch startOffset".
 */

function readLines(disk: Disk, path: string): string[][] | undefined {
  if (!disk.exists(path)) return undefined
  const lines = disk.readFile(path).toString('utf8').split('\n')
  if (lines[0] !== '0') return undefined
  const count = Number(lines[1])
  const entries = lines.slice(2).filter((line) => line !== '')
  // A count that does not match means a file that was not written whole: nothing in it is believed.
  if (!Number.isInteger(count) || count !== entries.length) return undefined
  return entries.map((line) => line.split(' '))
}

function isCount(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,16}$/.test(text)
}

/** Entries of an offset checkpoint by `topic-partition`; undefined when the file is missing or damaged. */
export function readOffsetCheckpoint(disk: Disk, path: string): Map<string, number> | undefined {
  const lines = readLines(disk, path)
  if (!lines) return undefined
  const offsets = new Map<string, number>()
  for (const [topic, partition, offset] of lines) {
    if (!isCount(partition) || !isCount(offset)) return undefined
    offsets.set(`${topic}-${partition}`, Number(offset))
  }
  return offsets
}

/** Replaces an offset checkpoint. */
export function writeOffsetCheckpoint(
  disk: Disk,
  path: string,
  entries: readonly { topic: string; partition: number; offset: number }[],
): void {
  const lines = entries.map((entry) => `${entry.topic} ${entry.partition} ${entry.offset}\n`)
  disk.replaceFile(path, `0\n${entries.length}\n${lines.join('')}`)
}

/** An epoch and the first offset written in it. */
export interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

/** Entries of a leader epoch checkpoint; undefined when the file is missing or damaged. */
export function readEpochCheckpoint(disk: Disk, path: string): EpochStart[] | undefined {
  const lines = readLines(disk, path)
  if (!lines?.every((line) => line.length === 2 && isCount(line[0]) && isCount(line[1]))) return undefined
  return lines.map(([epoch, startOffset]) => ({ epoch: Number(epoch), startOffset: Number(startOffset) }))
}

/** Replaces a leader epoch checkpoint. */
export function writeEpochCheckpoint(disk: Disk, path: string, entries: readonly EpochStart[]): void {
  const lines = entries.map((entry) => `${entry.epoch} ${entry.startOffset}\n`)
  disk.replaceFile(path, `0\n${entries.length}\n${lines.join('')}`)
}
