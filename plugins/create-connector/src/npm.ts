import { spawn } from 'node:child_process'
import { basename } from 'node:path'
import { Failure, type FailureCode } from './failure.ts'

/** The end of the output is what tells why something failed. */
const OUTPUT_CHARS_MAX = 20_000

/** Runs npm in a folder; a failure brings the end of what it said. */
export async function npm(
  args: readonly string[],
  folder: string,
  code: FailureCode,
  signal: AbortSignal,
): Promise<void> {
  const { status, output } = await run(args, folder, signal)
  if (signal.aborted) throw new Failure('INTERRUPTED', 'interrupted')
  if (status !== 0) throw new Failure(code, `npm ${args.join(' ')} failed (${status}):\n${output.trim()}`)
}

/** Says so before anything is written when there is no npm. */
export async function requireNpm(folder: string, signal: AbortSignal): Promise<void> {
  const { status, output } = await run(['--version'], folder, signal).catch((error: unknown) => ({
    status: 'not found',
    output: error instanceof Error ? error.message : String(error),
  }))
  if (signal.aborted) throw new Failure('INTERRUPTED', 'interrupted')
  if (status === 0) return
  const reason = `npm cannot be run (${status}: ${output.trim()})`
  throw new Failure('NO_NPM', `${reason}. Install npm, or use --no-install to write the files only`)
}

function run(
  args: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<{ status: number | string; output: string }> {
  const [command, ...first] = npmCommand()
  const child = spawn(command, [...first, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // npm is a shell script on Windows.
    shell: process.platform === 'win32' && first.length === 0,
    signal,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_CHARS_MAX)
    })
  }
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      // What runs ends before its folder is removed: an interruption is an error too, and 'close' follows.
      if (child.pid !== undefined) return
      if (signal.aborted) resolve({ status: 'interrupted', output })
      else reject(error)
    })
    child.once('close', (code, killedBy) => resolve({ status: code ?? killedBy ?? 'unknown', output }))
  })
}

/** The npm that runs us, if one does: `npm create` says where it is. */
function npmCommand(): [string, ...string[]] {
  const { npm_execpath: path } = process.env
  return path !== undefined && basename(path) === 'npm-cli.js' ? [process.execPath, path] : ['npm']
}
