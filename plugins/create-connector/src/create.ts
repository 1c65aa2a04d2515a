import { chmod, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Failure, type FailureCode } from './failure.ts'
import { npm, requireNpm } from './npm.ts'
import type { Answers } from './questions.ts'
import { renderTemplate } from './template.ts'

export interface CreateOptions {
  /** Where the folder of the package is made. */
  readonly parent: string
  readonly install: boolean
  /** Where packages are taken from instead of the registry, by name. */
  readonly packages: Readonly<Record<string, string>>
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
  /** Told of each step before it begins. */
  readonly onStep: (text: string) => void
}

export interface Created {
  readonly folder: string
  readonly files: readonly string[]
  /** It was installed, built and tested. */
  readonly verified: boolean
}

const VERIFICATION: readonly { text: string; args: readonly string[]; code: FailureCode }[] = [
  // Nothing of what it installs needs scripts, and none of them should run because somebody tried a template.
  { text: 'installing', args: ['install', '--ignore-scripts', '--no-audit', '--no-fund'], code: 'INSTALL_FAILED' },
  { text: 'checking types', args: ['run', 'types'], code: 'BUILD_FAILED' },
  { text: 'building', args: ['run', 'build'], code: 'BUILD_FAILED' },
  { text: 'writing the option tables of the README', args: ['run', 'readme'], code: 'BUILD_FAILED' },
  { text: 'running its conformance test', args: ['test'], code: 'TEST_FAILED' },
]

/**
 * Makes the package in a temporary folder beside its place, and moves it there when all of it has worked: a package that
 * is there is whole, and of one that failed nothing is left.
 */
export async function createPackage(answers: Answers, options: CreateOptions): Promise<Created> {
  const target = resolve(options.parent, answers.names.folder)
  await requirePlace(target)
  if (options.install) await requireNpm(options.parent, options.signal)
  const folder = await mkdtemp(join(dirname(target), `.${answers.names.folder}-`))
  try {
    options.onStep('writing files')
    const files = renderTemplate(answers, options.packages)
    for (const [path, text] of files) await write(join(folder, path), text)
    for (const { text, args, code } of options.install ? VERIFICATION : []) {
      options.onStep(text)
      await npm(args, folder, code, options.signal)
    }
    // A temporary folder is its owner's alone; a package is not.
    await chmod(folder, 0o777 & ~process.umask())
    await moveTo(target, folder)
    return { folder: target, files: [...files.keys()].toSorted(), verified: options.install }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function requirePlace(target: string): Promise<void> {
  const parent = dirname(target)
  const place = await stat(parent).catch(() => undefined)
  if (!place?.isDirectory()) throw new Failure('NO_PARENT_FOLDER', `${parent} is no folder; make it or go elsewhere`)
  if (await stat(target).catch(() => undefined)) throw exists(target)
}

async function moveTo(target: string, folder: string): Promise<void> {
  try {
    await rename(folder, target)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Somebody else was faster.
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') throw exists(target)
    throw error
  }
}

function exists(target: string): Failure {
  return new Failure('FOLDER_EXISTS', `${target} exists already; choose another name or move it away`)
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}
