// Python clients for tests, in a virtual environment in the user's cache folder, made once for each set of packages.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DOWNLOAD_PAUSE_MS } from './java.ts'

export interface PythonResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Why Python cannot be used here, or null; fails instead when MILLRACE_REQUIRE_SERVICES=1. Says so loudly. */
export function pythonMissing(): string | null {
  const check = 'command -v python3 && python3 -c "import venv, ensurepip"'
  if (spawnSync('/bin/sh', ['-c', check]).status === 0) return null
  const message = 'python3 with venv is missing; apt-get install python3-venv'
  if (process.env['MILLRACE_REQUIRE_SERVICES'] === '1') throw new Error(message)
  console.warn(`SKIPPED: ${message}`)
  return message
}

function run(command: string, args: readonly string[]): Promise<PythonResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** Makes the environment; tells what went wrong. */
async function make(folder: string, python: string, packages: readonly string[]): Promise<string | null> {
  for (const [command, args] of [
    ['python3', ['-m', 'venv', folder]],
    [python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]],
  ] as const) {
    const { code, stdout, stderr } = await run(command, args)
    if (code !== 0) return `${command} ${args.join(' ')} failed: ${stdout}${stderr}`
  }
  return null
}

/** The clients of others that the tests use. */
export const PYTHON_CLIENTS: readonly string[] = ['kafka-python==3.0.12', 'confluent-kafka==2.16.1']

/** Readers of file formats; the last two are codecs of the second. */
export const PYTHON_FORMATS: readonly string[] = [
  'pyarrow==26.0.1',
  'fastavro==1.13.1',
  'cramjam==2.14.0',
  'backports.zstd==1.8.0',
]

/** The interpreter of an environment with these packages from PyPI, such as `kafka-python==3.0.0`. */
export async function pythonWith(packages: readonly string[]): Promise<string> {
  const key = createHash('sha256').update(packages.toSorted().join('\n')).digest('hex').slice(0, 16)
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace', 'services')
  const folder = join(cache, `python-${key}`)
  const python = join(folder, 'bin', 'python')
  // The mark is made last: a folder without it was left by a run that was interrupted.
  const ready = join(cache, `python-${key}.ready`)
  if (existsSync(ready) && existsSync(python)) return python
  await mkdir(cache, { recursive: true })
  for (let attempt = 1; ; attempt++) {
    await rm(folder, { recursive: true, force: true })
    // Made in its own place, because an environment knows its path.
    const failure = await make(folder, python, packages)
    if (failure === null) break
    // A registry that does not answer for a moment is no fault of ours.
    if (attempt === 3) throw new Error(failure)
    await sleep(attempt * DOWNLOAD_PAUSE_MS)
  }
  const mark = await mkdtemp(`${ready}-`)
  await rename(mark, ready).catch(() => rm(mark, { recursive: true, force: true }))
  return python
}

/** Runs a script given as text. */
export async function runPython(python: string, script: string, args: readonly string[] = []): Promise<PythonResult> {
  return run(python, ['-c', script, ...args])
}
