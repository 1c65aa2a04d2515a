import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { messageOf } from './check.ts'
import { within } from './deadline.ts'
import { type JournalLine, readJournal } from './journal.ts'
import { ENDED, type Life, LISTENS, WORDS } from './life.ts'

/** An undisturbed life waits for its system now and then: it may take longer than one call. */
const PATIENCE = 2

/**
 * Lets a task live in a thread until it is over or ended; then all of the thread is gone. Gives what happened.
 * `onListening` is called when a life that `listens` does.
 */
export async function live(
  life: DistributiveOmit<Life, 'journal'>,
  onListening: () => Promise<void> = async () => {},
): Promise<readonly JournalLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-testkit-'))
  const journal = join(folder, 'journal')
  const state = new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT))
  // The thread's file has the ending of this one: TypeScript in the sources, JavaScript in the package.
  const entry = new URL(import.meta.url.endsWith('.ts') ? './life-thread.ts' : './life-thread.js', import.meta.url)
  const thread = new Worker(entry, { workerData: { life: { ...life, journal }, state } })
  const gone = new Promise<never>((_, reject) => {
    thread.once('error', (error) => reject(new Error(`the thread of a task failed: ${messageOf(error)}`)))
    thread.once('exit', () => reject(new Error('the thread of a task ended by itself: does it call process.exit?')))
  })
  gone.catch(() => {})
  let isOver = false
  const told = toldOf(state, LISTENS).then(() => (isOver ? undefined : onListening()))
  // Only what fails while the task lives is a fault of the checks' system.
  const failed = told.then(() => new Promise<never>(() => {}))
  failed.catch(() => {})
  try {
    const ended = Promise.race([toldOf(state, ENDED), gone, failed])
    await within(life.limits.deadlineMs * PATIENCE, 'the life of a task in a thread', ended)
    await thread.terminate()
    const lines = readJournal(journal)
    const failure = lines.find((line) => 'failed' in line)
    if (failure) throw new Error(failure.failed)
    return lines
  } finally {
    isOver = true
    await thread.terminate()
    Atomics.notify(state, LISTENS)
    await Promise.allSettled([told])
    rmSync(folder, { recursive: true })
  }
}

/** Resolves when the thread tells of something. */
async function toldOf(state: Int32Array, word: number): Promise<void> {
  const wait = Atomics.waitAsync(state, word, 0)
  if (wait.async) await wait.value
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** The await points of a life that went to its end; 0 of one that was ended. */
export function pointsOf(journal: readonly JournalLine[]): number {
  return journal.find((line) => 'over' in line)?.over ?? 0
}
