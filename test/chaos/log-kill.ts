import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { seededRandom, silentLogger } from '../../src/base/index.ts'
import { realClock, realDisk, realRandom } from '../../src/base/real/index.ts'
import { LogManager } from '../../src/log/index.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { killLogConfig, PARTITIONS, readValues } from './log-kill-batches.ts'

const CHILD = fileURLToPath(new URL('log-kill-child.ts', import.meta.url))
/** Acknowledgements to wait for before the kill, so that a slow machine still has something to lose. */
const MIN_ACKS = 20

export interface LogKillOptions {
  readonly rounds: number
  readonly seed: number
  readonly log: (line: string) => void
}

/** Lets the child append and kills it; returns the last acknowledged batch of each partition, -1 without one. */
async function killUnderLoad(directory: string, delayMs: number): Promise<number[]> {
  const child = spawn(process.execPath, ['--conditions=source', CHILD, directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const acked = Array.from({ length: PARTITIONS }, () => -1)
  let count = 0
  let rest = ''
  let errors = ''
  let exited: number | null | undefined
  const closed = new Promise<void>((resolve) => {
    child.on('close', (code) => {
      exited = code
      resolve()
    })
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const [partition, sequence] = line.split(' ').map(Number)
      acked[partition!] = sequence!
      count++
    }
  })
  try {
    const deadline = performance.now() + DEADLINE_MS
    while (count < MIN_ACKS && exited === undefined && performance.now() < deadline) await sleep(2)
    if (exited === undefined) await sleep(delayMs)
  } finally {
    child.kill('SIGKILL')
    await closed
  }
  if (exited !== null) throw new Error(`the child ended by itself (${exited}): ${errors}`)
  if (count < MIN_ACKS) throw new Error(`only ${count} acknowledgements within ${DEADLINE_MS} ms: ${errors}`)
  return acked
}

/** Opens what the killed process left and checks it: every acknowledged batch there, once, in order, and nothing else. */
async function verify(directory: string, acked: readonly number[]): Promise<number> {
  const manager = LogManager.open({
    directory,
    nodeId: 1,
    disk: realDisk,
    clock: realClock,
    random: realRandom,
    logger: silentLogger,
    configFor: killLogConfig,
  })
  try {
    if (manager.wasCleanShutdown) throw new Error('a killed process left the mark of a clean stop')
    let total = 0
    for (const log of manager.logs()) {
      const values = readValues(log)
      const wrong = values.findIndex((value, index) => value !== index)
      if (wrong >= 0) throw new Error(`partition ${log.partition} has batch ${values[wrong]} at place ${wrong}`)
      const promised = acked[log.partition]!
      // Invariant 9: kill -9 at any instant loses nothing acknowledged.
      if (values.length <= promised)
        throw new Error(`partition ${log.partition} ends at ${values.length}, ${promised} was acknowledged`)
      if (log.recovery.lostBatches > 0) throw new Error(`partition ${log.partition}: ${JSON.stringify(log.recovery)}`)
      total += values.length
    }
    return total
  } finally {
    // As after a crash: the next round finds no clean stop either.
    await manager.abandon()
  }
}

/** Kills a process that appends under load, `rounds` times on the same directory, and checks after each. */
export async function logKillChaos(options: LogKillOptions): Promise<{ rounds: number; batches: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
  const random = seededRandom(options.seed)
  const acked = Array.from({ length: PARTITIONS }, () => -1)
  let batches = 0
  try {
    for (let round = 1; round <= options.rounds; round++) {
      const now = await killUnderLoad(directory, random.next() * 300)
      for (const [partition, sequence] of now.entries()) acked[partition] = Math.max(acked[partition]!, sequence)
      batches = await verify(directory, acked)
      options.log(`round ${round}: acknowledged up to ${acked.join(', ')}, ${batches} batches found`)
    }
    return { rounds: options.rounds, batches }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
