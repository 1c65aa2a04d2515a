import type { ChildProcess } from 'node:child_process'
import { whatKeeps } from './what-keeps.ts'

/** Much longer than a worker or broker takes to end in good order. */
const END_MS = 90_000

/**
 * Sends a signal, if there is one, and waits for the end: the exit code. One of ours that goes on is killed, and fails with
 * what keeps it alive and what it said, where it would else only show as a test that took too long.
 */
export async function endProcess(
  child: ChildProcess,
  signal: NodeJS.Signals | null,
  output: () => string,
): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
  if (signal !== null) child.kill(signal)
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => void giveUp(child, signal, output).catch(late.reject), END_MS)
  return Promise.race([gone, late.promise]).finally(() => clearTimeout(timer))
}

async function giveUp(child: ChildProcess, signal: string | null, output: () => string): Promise<never> {
  const why = await whatKeeps(child)
  child.kill('SIGKILL')
  const what = `${child.spawnargs.join(' ')} did not end${signal === null ? '' : ` on ${signal}`}`
  throw new Error(`${what} (${why}): ${output()}`)
}
