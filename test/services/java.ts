// Jars from Maven and Java programs of tests.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cachedFolder, cachePath } from './cache.ts'

const DOWNLOAD_MS = 900_000
const ATTEMPTS = 3
/** After a download that failed; grows with each further one. */
export const DOWNLOAD_PAUSE_MS = 5000

/**
 * Why jars cannot be had and run here, or null; fails instead when MILLRACE_REQUIRE_SERVICES=1. Says so loudly. `names` are
 * those of their folders in the cache, without which Maven is needed.
 */
export function javaMissing(title: string, ...names: readonly string[]): string | null {
  const isCached = names.every((name) => existsSync(cachePath(name)))
  const missing = ['java', ...(isCached ? [] : ['mvn'])].filter(
    (command) => spawnSync('/bin/sh', ['-c', `command -v ${command}`]).status !== 0,
  )
  if (missing.length === 0) return null
  const message = `${title}: ${missing.join(' and ')} missing; apt-get install default-jre-headless maven`
  if (process.env['MILLRACE_REQUIRE_SERVICES'] === '1') throw new Error(message)
  console.warn(`SKIPPED: ${message}`)
  return message
}

/** A folder of the cache with what a pom names, fetched by Maven once per machine. */
export function mavenJars(name: string, pom: string, options: readonly string[] = []): Promise<string> {
  return cachedFolder(name, (partial) => copyJars(pom, partial, options))
}

/** Lets Maven copy what a pom names into a folder. A repository that does not answer for a moment is no fault of ours. */
export async function copyJars(pom: string, folder: string, options: readonly string[] = []): Promise<void> {
  const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`, ...options]
  for (let attempt = 1; ; attempt++) {
    const { code, output } = await run('mvn', args)
    if (code === 0) return
    if (attempt === ATTEMPTS) throw new Error(`Maven cannot fetch what ${pom} names: ${output}`)
    await sleep(attempt * DOWNLOAD_PAUSE_MS)
  }
}

/** A folder of classes that were compiled from these files, once for each content. `folders` hold the jars they need. */
export async function javaClasses(sources: readonly string[], folders: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const source of sources) hash.update(readFileSync(source)).update('\0')
  for (const folder of folders) hash.update(basename(folder)).update('\0')
  const name = `classes-${basename(sources.at(-1) ?? '', '.java')}-${hash.digest('hex').slice(0, 8)}`
  return cachedFolder(name, async (partial) => {
    const { code, output } = await run('java', await compilation(sources, folders, partial))
    if (code !== 0) throw new Error(`${sources.join(', ')} do not compile: ${output}`)
  })
}

async function compilation(sources: readonly string[], folders: readonly string[], target: string): Promise<string[]> {
  const jars: string[] = []
  for (const folder of folders) for (const file of await readdir(folder)) jars.push(join(folder, file))
  // A runtime environment has the compiler as a module, without the command.
  const compiler = ['-m', 'jdk.compiler/com.sun.tools.javac.Main']
  return [...compiler, '--release', '17', '-proc:none', '-nowarn', '-cp', jars.join(':'), '-d', target, ...sources]
}

/** Runs a command to its end, which has to come while a download may last. */
function run(command: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] })
    const late = setTimeout(() => child.kill('SIGKILL'), DOWNLOAD_MS)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(late)
      resolve({ code, output })
    })
  })
}
