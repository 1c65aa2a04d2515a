// What an author of plugins has: `npm create millrace-connector`, installed from its package, which makes packages that use
// the packed SDK and testkit of this checkout.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BuiltCheckout, foreignEnvironment, runOrFail } from './packages.ts'

/** Downloads and a conformance test, on a machine that is busy. */
const CREATE_MS = 250_000
const ATTEMPTS = 3

export class AuthorTools {
  readonly #command: string
  readonly #module: string
  readonly #packages: readonly string[]

  /** Builds, packs and installs; the folder is the caller's to remove. */
  constructor(folder: string) {
    const checkout = new BuiltCheckout(folder)
    const [sdk, testkit] = [checkout.pack('sdk'), checkout.pack('testkit')]
    this.#packages = ['--package', `@millrace/sdk=file:${sdk}`, '--package', `@millrace/testkit=file:${testkit}`]
    const home = join(folder, 'author')
    mkdirSync(home)
    writeFileSync(join(home, 'package.json'), '{"private":true}')
    // It depends on nothing, so this needs no registry.
    runOrFail('npm', ['install', checkout.pack('create-connector')], home)
    this.#module = join(home, 'node_modules/create-millrace-connector')
    this.#command = join(home, 'node_modules/.bin/create-millrace-connector')
  }

  /** A file of the installed templates. */
  templateFile(path: string): string {
    return join(this.#module, 'templates', path)
  }

  /** What stands for `npm create millrace-connector` in a shell. */
  commandLine(name: string, args: string): string {
    return `'${this.#command}' ${name} ${args} ${this.#packages.map((word) => `'${word}'`).join(' ')}`
  }

  /** Runs the command; the folder of the new package. A download that fails is tried again. */
  create(parent: string, name: string, args: readonly string[]): string {
    for (let attempt = 1; ; attempt++) {
      const all = [name, '--json', ...args, ...this.#packages]
      const options = { cwd: parent, encoding: 'utf8', timeout: CREATE_MS, env: foreignEnvironment() } as const
      const { stdout, stderr, error } = spawnSync(this.#command, all, options)
      const said = `${error?.message ?? ''}${stdout}${stderr}`
      const result = (stdout.startsWith('{') ? JSON.parse(stdout) : { ok: false, code: 'NO_ANSWER' }) as {
        ok: boolean
        folder?: string
        code?: string
        message?: string
      }
      if (result.ok && result.folder !== undefined) return result.folder
      if (result.code !== 'INSTALL_FAILED' || attempt === ATTEMPTS) {
        throw new Error(`create-millrace-connector ${name}: ${result.code} ${result.message ?? said}`)
      }
    }
  }
}
