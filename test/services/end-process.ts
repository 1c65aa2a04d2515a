import type { ChildProcess } from 'node:child_process'
import { DEADLINE_MS } from './deadline.ts'
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

/** Sends SIGTERM to a program that is not ours and waits for its end: whether it ends in good order is not under test. */
export async function endPeer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const late = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS)
  child.kill('SIGTERM')
  await gone
  clearTimeout(late)
}
