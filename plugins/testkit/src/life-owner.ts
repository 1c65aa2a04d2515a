import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { serialize } from 'node:v8'
import { pause, within } from './deadline.ts'
import { type JournalLine, readJournal } from './journal.ts'
import { type Life, LISTENS_PIPE } from './life.ts'

/** An undisturbed life waits for its system now and then: it may take longer than one call. */
const PATIENCE = 2
const STDERR_TAIL_CHARS = 4000
/** Much longer than it takes to hear of the end of a process that was killed. */
const GONE_MS = 5000

/**
 * Lets a task live in a process until it is over or killed. Gives what happened. `onListening` is called when a life that
 * `listens` does.
 */
export async function live(
  life: DistributiveOmit<Life, 'journal'>,
  onListening: () => Promise<void> = async () => {},
): Promise<readonly JournalLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-testkit-'))
  const journal = join(folder, 'journal')
  const file = join(folder, 'life')
  writeFileSync(file, serialize({ ...life, journal }))
  const child = start(file)
  const ended = endOf(child)
  // What fails when the process is gone concerns nobody.
  ended.catch(() => {})
  const over = new AbortController()
  const listens = once(child.stdio[LISTENS_PIPE] as Readable, 'data', { signal: over.signal })
  const told = listens.then(onListening)
  // Only what fails while the task lives is a fault of the checks' system; that it died may be heard of a moment later.
  const failed = told.then(
    () => new Promise<never>(() => {}),
    async (error: unknown) => {
      await Promise.race([ended, pause(GONE_MS)])
      throw error
    },
  )
  failed.catch(() => {})
  try {
    await within(life.limits.deadlineMs * PATIENCE, 'the life of a task in a process', Promise.race([ended, failed]))
    const lines = readJournal(journal)
    const failure = lines.find((line) => 'failed' in line)
    if (failure) throw new Error(failure.failed)
    return lines
  } finally {
    over.abort()
    child.kill('SIGKILL')
    await Promise.allSettled([ended, told])
    rmSync(folder, { recursive: true })
  }
}

function start(file: string): ChildProcess {
  // The entry has the ending of this file: TypeScript in the sources, JavaScript in the package.
  const entry = new URL(import.meta.url.endsWith('.ts') ? './life-process.ts' : './life-process.js', import.meta.url)
  // The process ends when its input does, so that it does not outlive this one.
  return spawn(process.execPath, [...process.execArgv, fileURLToPath(entry), file], {
    stdio: ['pipe', 'inherit', 'pipe', 'pipe'],
  })
}

/** Resolves when a process has been killed, by itself as agreed or by us; rejects when it ended in some other way. */
async function endOf(child: ChildProcess): Promise<void> {
  let tail = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-STDERR_TAIL_CHARS)
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (signal === 'SIGKILL') return
  const how = signal === null ? `exit code ${code}` : signal
  throw new Error(`the process of a task ended by itself with ${how}: does it call process.exit? ${tail}`.trim())
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** The await points of a life that went to its end; 0 of one that was killed. */
export function pointsOf(journal: readonly JournalLine[]): number {
  return journal.find((line) => 'over' in line)?.over ?? 0
}
