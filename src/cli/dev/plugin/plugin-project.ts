import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConnectorFile, readConnectorFile } from '../../connector-file.ts'
import { UsageError } from '../../usage-error.ts'

/** The package of a plugin that somebody works on. */
export interface PluginProject {
  readonly folder: string
  readonly name: string
}

/** Finds the package in a folder; throws with what is missing. */
export function openProject(folder: string): PluginProject {
  const json = packageJson(folder)
  if (json['millrace'] === undefined) {
    throw new UsageError(`${folder}/package.json has no key \`millrace\`, so it is no plugin of Millrace's`)
  }
  return { folder, name: typeof json['name'] === 'string' ? json['name'] : folder }
}

function packageJson(folder: string): Readonly<Record<string, unknown>> {
  const path = join(folder, 'package.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new UsageError(`there is no ${path}; go to the folder of your package, or name it`)
  }
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The connectors to run: the given files, or all JSON of `examples/`. */
export function connectorsOf(folder: string, files: readonly string[] | undefined): readonly ConnectorFile[] {
  return (files ?? exampleFiles(folder)).map(readConnectorFile)
}

function exampleFiles(folder: string): readonly string[] {
  const examples = join(folder, 'examples')
  if (!existsSync(examples)) return []
  const names = readdirSync(examples).filter((name) => name.endsWith('.json'))
  return names.toSorted().map((name) => join(examples, name))
}

export interface BuildResult {
  readonly ok: boolean
  /** What the build said. */
  readonly output: string
}

/** More of what a build says does not help. */
const OUTPUT_CHARS_MAX = 20_000

/** Runs the `build` script of the package; a package without one needs no build. */
export async function build({ folder }: PluginProject, signal: AbortSignal): Promise<BuildResult> {
  const scripts = packageJson(folder)['scripts'] as Readonly<Record<string, string>> | undefined
  if (scripts?.['build'] === undefined) return { ok: true, output: '' }
  // npm is a shell script on Windows.
  const child = spawn('npm', ['run', '--silent', 'build'], {
    cwd: folder,
    signal,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(0, OUTPUT_CHARS_MAX)
    })
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ ok: false, output: `npm run build: ${error.message}` }))
    child.once('close', (code) => resolve({ ok: code === 0, output: output.trim() }))
  })
}
