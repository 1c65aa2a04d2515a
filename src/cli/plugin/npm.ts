import { spawn } from 'node:child_process'
import { UsageError } from '../usage-error.ts'

/** npm could not do what it was asked. */
export class NpmError extends Error {
  override name = 'NpmError'
  /** npm's own code, such as E404, ETARGET or ECONNREFUSED; '' where it gave none. */
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }
}

/** What npm wrote and how it ended. */
export interface NpmResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** More than any answer of the commands that are used here. */
const MAX_OUTPUT_CHARS = 64 * 1024 * 1024

/** No script of a package runs, and npm neither asks nor advertises. */
const ALWAYS = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--yes', '--loglevel=error']

/**
 * Runs npm in a folder. The folder is its project, whatever projects lie above it and whatever npm script this process was
 * started by. It ends with this process.
 */
export async function runNpm(folder: string, args: readonly string[]): Promise<NpmResult> {
  const child = spawn('npm', [...args, '--prefix', folder, ...ALWAYS], {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      if (output[name].length < MAX_OUTPUT_CHARS) output[name] += chunk
    })
  }
  const end = () => void child.kill('SIGKILL')
  process.once('exit', end)
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve(code ?? 1))
    })
    return { exitCode, ...output }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new UsageError('npm is not found: it comes with Node.js; put its folder on PATH')
  } finally {
    process.off('exit', end)
  }
}

/** The same for commands that answer in JSON; throws what npm says when it fails. */
export async function npmJson(folder: string, args: readonly string[]): Promise<unknown> {
  const result = await runNpm(folder, [...args, '--json'])
  if (result.exitCode !== 0) throw npmError(result)
  try {
    return result.stdout.trim() === '' ? null : JSON.parse(result.stdout)
  } catch {
    throw new NpmError(`npm ${args[0]} answered what is no JSON: ${result.stdout.slice(0, 200)}`, '')
  }
}

/** What npm says of its failure: its error as JSON, or the lines that it marks as errors. */
export function npmError({ stdout, stderr, exitCode }: NpmResult): NpmError {
  try {
    const { error } = JSON.parse(stdout) as { error?: { code?: string; summary?: string; detail?: string } }
    if (error?.summary) return new NpmError(`npm: ${error.summary.trim()}`, error.code ?? '')
  } catch {
    // It has written lines only.
  }
  const lines = [...stderr.matchAll(/^npm (?:error|ERR!) (.*)$/gm)].map(([, line = '']) => line.trim())
  const code = /^code (\S+)/.exec(lines.find((line) => line.startsWith('code ')) ?? '')?.[1] ?? ''
  const told = lines.filter(
    (line) => line !== '' && !/^(code |A complete log|errno|syscall|For a full report)/.test(line),
  )
  const text = told.slice(0, 6).join('\n') || stderr.trim() || `it ended with exit code ${exitCode}`
  return new NpmError(`npm: ${text}`, code)
}

/** True for a registry that cannot be reached, as on a machine without a network. */
export function isOffline(error: unknown): boolean {
  return error instanceof NpmError && OFFLINE.test(`${error.code} ${error.message}`)
}

const OFFLINE =
  /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|FETCH_ERROR|ERR_SOCKET_TIMEOUT/

/** Without what an npm script above this process has set for its own package. */
function environment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const key of Object.keys(env)) {
    if (
      /^npm_(package|lifecycle)_|^npm_(command|execpath)$|^npm_config_(local_prefix|workspaces?|prefix|global)$/i.test(
        key,
      )
    ) {
      delete env[key]
    }
  }
  return env
}
