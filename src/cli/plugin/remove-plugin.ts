import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { realDisk } from '../../base/real/index.ts'
import { type InstalledPackage, readDirectory, writeDirectory } from '../../connect/index.ts'
import { UsageError } from '../usage-error.ts'
import { connectorsOf, usesOf, type WorkerOptions } from './in-use.ts'
import { changeDirectory } from './plugin-folder.ts'
import { registryWith } from './registry-of-directory.ts'

export interface RemoveOptions extends WorkerOptions {
  /** Remove although connectors use it, and without asking. */
  readonly force: boolean
}

export interface RemoveReport {
  readonly entry: InstalledPackage
  /** Whether a worker or its config topic was asked. */
  readonly asked: boolean
}

/** Takes a package out of a plugin directory, unless a connector uses it. */
export async function removePlugin(directory: string, spec: string, options: RemoveOptions): Promise<RemoveReport> {
  return changeDirectory(directory, async () => {
    const installed = readDirectory(directory, realDisk)
    const entry = installedAs(installed, spec, directory)
    const connectors = options.force ? null : await connectorsOf(options)
    const uses = usesOf(registryWith([directory]), entry, connectors ?? [])
    if (uses.length > 0) {
      throw new UsageError(
        `${entry.name}@${entry.version} is in use by ${uses.join(', ')}; ` +
          'delete these connectors, give them another version, or remove it all the same with --force',
      )
    }
    const others = installed.filter((one) => one !== entry)
    writeDirectory(directory, others, realDisk)
    rmSync(join(directory, entry.root), { recursive: true, force: true })
    return { entry, asked: connectors !== null }
  })
}

/** The one package that `name` or `name@version` means. */
export function installedAs(installed: readonly InstalledPackage[], spec: string, directory: string): InstalledPackage {
  const at = spec.indexOf('@', 1)
  const [name, version] = at < 0 ? [spec, undefined] : [spec.slice(0, at), spec.slice(at + 1)]
  const versions = installed.filter((one) => one.name === name)
  const fitting = version === undefined ? versions : versions.filter((one) => one.version === version)
  const [only] = fitting
  if (only !== undefined && fitting.length === 1) return only
  if (versions.length === 0) throw new UsageError(`${name} is not installed in ${directory}`)
  const known = versions.map((one) => `${name}@${one.version}`).join(', ')
  if (only === undefined) throw new UsageError(`${spec} is not installed in ${directory}; there is ${known}`)
  throw new UsageError(`several versions of ${name} are installed; name one of ${known}`)
}
