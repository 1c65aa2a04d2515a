import { write } from 'node:fs'

/** Writes part of a buffer to a descriptor, as `fs.write`. */
export type WriteBytes = (
  fd: number,
  bytes: Buffer,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void

/** What a log is written to. */
export interface LogOutput {
  write(line: string): void
  /** Resolves when everything is written, cannot be written any more, or after the limit. */
  drained(limitMs: number): Promise<void>
}

const QUEUE_CHARACTERS_MAX = 16_000_000
const RETRY_MS = 20

/**
 * Lines go out in order while the process goes on; the queue is bounded and tells how many lines it left out. A reader
 * that is gone is no reason to stop: what nobody can read is dropped. (pino's own output waits for such a reader for
 * ever when the process exits, and so keeps it from ending.)
 */
export function createLogOutput(fd: number, writeBytes: WriteBytes = write): LogOutput {
  let queue: string[] = []
  let queued = 0
  let leftOut = 0
  let writing = false
  let broken = false
  let waiters: (() => void)[] = []

  const settle = () => {
    const settled = waiters
    waiters = []
    for (const resolve of settled) resolve()
  }
  const next = () => {
    if (leftOut > 0) queue.push(`{"level":40,"time":${Date.now()},"msg":"${leftOut} log lines were left out"}\n`)
    leftOut = 0
    writing = queue.length > 0
    if (!writing) return settle()
    const bytes = Buffer.from(queue.join(''))
    queue = []
    queued = 0
    send(bytes)
  }
  const send = (bytes: Buffer): void =>
    writeBytes(fd, bytes, (error, written) => {
      if (error && error.code !== 'EAGAIN') {
        broken = true
        queue = []
        writing = false
        return settle()
      }
      if (error) setTimeout(() => send(bytes), RETRY_MS).unref()
      else if (written < bytes.length) send(bytes.subarray(written))
      else next()
    })
  return {
    write(line) {
      if (broken) return
      if (queued + line.length > QUEUE_CHARACTERS_MAX) {
        leftOut++
        return
      }
      queue.push(line)
      queued += line.length
      if (!writing) next()
    },
    drained(limitMs) {
      if (!writing) return Promise.resolve()
      return new Promise((resolve) => {
        waiters.push(resolve)
        setTimeout(resolve, limitMs)
      })
    },
  }
}
