// The packages that are published, built and packed as for a release, in a folder of their own: what is in dist/ of the
// checkout may be old, and other tests build there.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEADLINE_MS } from './deadline.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const SKIPPED = new Set(['node_modules', 'dist', '.git'])

/** The environment of programs that are not ours: without the condition by which a checkout reads its own sources. */
export function foreignEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env
  return { ...env, npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false', ...more }
}

/** Runs a program to its end; fails with all that it said. */
export function runOrFail(command: string, args: readonly string[], folder: string): string {
  const env = foreignEnvironment()
  const result = spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: DEADLINE_MS, env })
  if (result.status === 0) return result.stdout
  const how = result.error?.message ?? `exit code ${result.status}`
  throw new Error(`${command} ${args.join(' ')} in ${folder}: ${how}\n${result.stdout}${result.stderr}`)
}

/** A copy of the checkout that is built, with the packages of others linked to those of the checkout. */
export class BuiltCheckout {
  readonly #folder: string

  /** Copies what the packages for authors are made of; the folder is the caller's to remove. */
  constructor(folder: string) {
    this.#folder = join(folder, 'checkout')
    mkdirSync(this.#folder)
    this.#copy('package.json', 'tsconfig.json', 'LICENSE', 'NOTICE', 'README.md')
    this.#copy('plugins/sdk', 'plugins/testkit', 'plugins/create-connector')
    this.#linkPackages()
    this.#tsc('plugins/sdk/tsconfig.build.json')
  }

  /** The tarball of a workspace, as `npm publish` would send it. */
  pack(workspace: 'sdk' | 'testkit' | 'create-connector'): string {
    if (workspace !== 'sdk') this.#tsc(`plugins/${workspace}/tsconfig.build.json`)
    const to = dirname(this.#folder)
    const said = runOrFail(
      'npm',
      ['pack', '--json', '--pack-destination', to],
      join(this.#folder, 'plugins', workspace),
    )
    // What scripts print comes before.
    const [packed] = JSON.parse(said.slice(said.indexOf('['))) as { filename: string }[]
    if (!packed) throw new Error(`npm pack of ${workspace} made nothing: ${said}`)
    return join(to, packed.filename)
  }

  #copy(...paths: readonly string[]): void {
    for (const path of paths) {
      const filter = (source: string) => !SKIPPED.has(basename(source))
      cpSync(join(root, path), join(this.#folder, path), { recursive: true, filter })
    }
  }

  #linkPackages(): void {
    const packages = join(this.#folder, 'node_modules')
    mkdirSync(join(packages, '@millrace'), { recursive: true })
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name !== '@millrace') symlinkSync(join(root, 'node_modules', name), join(packages, name))
    }
    for (const name of ['sdk', 'testkit']) {
      symlinkSync(join(this.#folder, 'plugins', name), join(packages, '@millrace', name))
    }
  }

  #tsc(project: string): void {
    runOrFail(join(root, 'node_modules/.bin/tsc'), ['-p', project, '--customConditions', 'null'], this.#folder)
  }
}
