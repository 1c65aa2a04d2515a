import { open } from 'node:fs/promises'

/** A line, and where the next one starts: the offset that is stored once the line is in the log. */
export interface Line {
  readonly text: string
  readonly end: number
}

const CHUNK_BYTES = 64 * 1024
/** What is read at once is held in memory until the log has taken it, so it is bounded in bytes too. */
const BATCH_BYTES_MAX = 1024 * 1024
/** A line that never ends must not fill the memory. */
const LINE_BYTES_MAX = 16 * 1024 * 1024

/**
 * What there is to read: put a client of your own system in place of this file. All that the task asks of it is to go on
 * behind a position, to give no more than it is asked for, and to give the same again when it is asked again.
 */
export async function readLines(path: string, position: number, limit: number): Promise<readonly Line[]> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    // It may come later.
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return []
  try {
    const lines: Line[] = []
    let rest: Buffer = Buffer.alloc(0)
    let start = position
    while (lines.length < limit && start - position < BATCH_BYTES_MAX) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, start + rest.length)
      if (bytesRead === 0) break
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
      for (let end = rest.indexOf(0x0a); end !== -1 && lines.length < limit; end = rest.indexOf(0x0a)) {
        start += end + 1
        lines.push({ text: rest.subarray(0, end).toString('utf8').replace(/\r$/, ''), end: start })
        rest = rest.subarray(end + 1)
      }
      if (rest.length > LINE_BYTES_MAX) throw new Error(`${path}: the line at byte ${start} has more than 16 MiB`)
    }
    // What follows the last line end is a line that is still being written.
    return lines
  } finally {
    await file.close()
  }
}
