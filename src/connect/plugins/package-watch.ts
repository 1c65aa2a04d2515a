import type { Disk, Logger } from '../../base/index.ts'
import { type PackagePlugin, scanPackages } from './package-scan.ts'
import { directoriesStamp } from './plugin-directory.ts'

/** The packages in `plugin.path`, which may change at any time. Each thing that is wrong is said once. */
export class PackageWatch {
  readonly #paths: readonly string[]
  readonly #disk: Disk
  readonly #logger: Logger
  readonly #said = new Set<string>()
  #stamp: string | null = null
  #seen = ''

  constructor(pluginPath: string, disk: Disk, logger: Logger) {
    this.#paths = pluginPath
      .split(',')
      .map((path) => path.trim())
      .filter((path) => path !== '')
    this.#disk = disk
    this.#logger = logger
  }

  /** What there is now, when that is not what the last call found. It costs next to nothing where nothing has happened. */
  changed(): readonly PackagePlugin[] | undefined {
    const stamp = directoriesStamp(this.#paths, this.#disk)
    if (stamp === this.#stamp) return undefined
    const packages = scanPackages(this.#paths, this.#disk, (path, reason) => this.warn(path, reason))
    this.#stamp = stamp
    const seen = JSON.stringify(packages)
    if (seen === this.#seen) return undefined
    this.#seen = seen
    return packages
  }

  /** Says that something of a package or folder cannot be used. */
  warn(path: string, reason: string): void {
    const key = `${path}: ${reason}`
    if (this.#said.has(key)) return
    this.#said.add(key)
    this.#logger.warn({ path, reason }, 'a plugin package is left out')
  }
}
