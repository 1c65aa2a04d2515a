import { existsSync, type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'

/** Editors write several files in a row, and one file in several steps. */
const QUIET_MS = 150

/** What a build reads, and what a worker is told: not what a build writes, or it would go on for ever. */
const WATCHED = ['src', 'examples', 'package.json', 'tsconfig.json', 'tsconfig.build.json'] as const

/** Tells when somebody has saved something of a package. */
export class ProjectWatcher {
  readonly #watchers: FSWatcher[] = []
  #timer: NodeJS.Timeout | undefined
  #changed = Promise.withResolvers<void>()

  constructor(folder: string) {
    for (const name of WATCHED) {
      const path = join(folder, name)
      if (!existsSync(path)) continue
      const watcher = watch(path, { recursive: true }, () => this.#touch())
      // A watched folder that is removed is no reason to end: what replaces it is seen with the next start.
      watcher.on('error', () => this.#touch())
      this.#watchers.push(watcher)
    }
  }

  /** Resolves with the next change, or when the signal aborts. A change that came since the last call counts. */
  async changed(signal: AbortSignal): Promise<void> {
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
    await Promise.race([this.#changed.promise, aborted])
    this.#changed = Promise.withResolvers()
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers) watcher.close()
  }

  #touch(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#changed.resolve(), QUIET_MS)
  }
}
