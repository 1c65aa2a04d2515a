// `millrace plugin` as a process, and packages for it to install.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endProcess } from '../../services/end-process.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

export interface CliResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A port at which nobody listens, so that nothing of this reaches a network. */
const NOWHERE = 'http://127.0.0.1:1/'

/** Runs `millrace plugin` with npm settings of its own: an empty cache and, unless named, a registry that is not there. */
export class PluginCli {
  readonly #folder: string
  readonly registry: string

  constructor(folder: string, registry: string = NOWHERE) {
    this.#folder = folder
    this.registry = registry
  }

  start(args: readonly string[]): { readonly child: ChildProcess; readonly result: Promise<CliResult> } {
    const child = spawn(process.execPath, ['--conditions=source', 'src/cli/launch.js', 'plugin', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#environment(),
    })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (chunk) => (output[name] += String(chunk)))
    const closed = new Promise((resolve) => child.once('close', resolve))
    const end = async () => {
      const exitCode = await endProcess(child, null, () => output.stdout + output.stderr)
      await closed
      return { exitCode, ...output }
    }
    return { child, result: end() }
  }

  async run(...args: string[]): Promise<CliResult> {
    return this.start(args).result
  }

  /** Runs a command that must succeed; what it answers in JSON. */
  async json(...args: string[]): Promise<any> {
    const { exitCode, stdout, stderr } = await this.run(...args, '--json')
    if (exitCode !== 0) throw new Error(`plugin ${args.join(' ')}: exit code ${exitCode}\n${stdout}${stderr}`)
    return JSON.parse(stdout)
  }

  #environment(): NodeJS.ProcessEnv {
    const npm = {
      npm_config_registry: this.registry,
      npm_config_cache: join(this.#folder, 'npm-cache'),
      npm_config_userconfig: join(this.#folder, 'npmrc'),
      npm_config_fetch_retries: '0',
      // A user's setting that hid from the audit what was there to check.
      npm_config_omit_lockfile_registry_resolved: 'true',
      HTTPS_PROXY: NOWHERE,
      https_proxy: NOWHERE,
      NO_PROXY: '127.0.0.1',
      no_proxy: '127.0.0.1',
    }
    return { ...process.env, ...npm }
  }
}

/** Writes a package into a folder; `json` goes over what a plugin package has at least. */
export function writePackage(folder: string, json: object, files: Readonly<Record<string, string>> = {}): string {
  const all = { 'package.json': JSON.stringify(json, undefined, 2), ...files }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** The package.json of a source whose class, name and version are given. */
export function sourcePackage(name: string, version: string, className: string, more: object = {}) {
  return {
    name,
    version,
    type: 'module',
    peerDependencies: { '@millrace/sdk': '^0.1.0' },
    millrace: { manifest: 1, plugins: [{ kind: 'source', name: className, module: 'source.js' }] },
    ...more,
  }
}

/** The module of a source that writes a text again and again; `extraKey` is a key that its configuration has besides. */
export function sourceModule(className: string, version: string, extraKey: string): string {
  return `import { setTimeout as delay } from 'node:timers/promises'
import { defineConfig, defineSourceConnector, schemas } from '@millrace/sdk'

const config = defineConfig({
  topic: { type: 'string', importance: 'high', doc: 'Where it writes to.' },
  '${extraKey}': { type: 'string', default: 'x', importance: 'low', doc: 'Tells this version from others.' },
})
let next = 0
export default defineSourceConnector({
  name: '${className}',
  version: '${version}',
  config,
  taskConfigs: (_settings, _maxTasks, raw) => [raw],
  createTask: ({ topic }) => ({
    async poll(signal) {
      await delay(10, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return null
      const record = { topic, partition: null, key: null, keySchema: null, value: '${version}', valueSchema: schemas.string }
      return [{ ...record, headers: [], timestamp: null, sourcePartition: { p: '1' }, sourceOffset: { next: ++next } }]
    },
  }),
})
`
}

/** The names in a folder; none for one that is not there. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    return []
  }
}
