import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { freePort } from '../../services/free-port.ts'
import { portAnswers } from '../../services/millrace.ts'

let folder: string
let child: ChildProcess | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-closed-output-'))
})
afterEach(async () => {
  child?.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

/** Starts a command, closes what it writes to as soon as its port answers, and tells it to stop. */
async function exitCodeAfterClosedOutput(command: string, properties: Record<string, string>, port: number) {
  const file = join(folder, 'properties')
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
  await writeFile(file, lines.join(''))
  const started = spawn(process.execPath, ['--conditions=source', 'src/cli/launch.js', command, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child = started
  await expect.poll(() => portAnswers(port), { timeout: DEADLINE_MS }).toBe(true)
  const exited = new Promise<number | null>((resolve) => started.once('exit', resolve))
  started.stdout.destroy()
  started.stderr.destroy()
  started.kill('SIGTERM')
  return exited
}

test('a broker whose output nobody reads any more stops when it is told to', async () => {
  const port = await freePort()
  const properties = { listeners: `PLAINTEXT://127.0.0.1:${port}`, 'log.dirs': join(folder, 'data') }
  expect(await exitCodeAfterClosedOutput('broker', properties, port)).toBe(0)
})
