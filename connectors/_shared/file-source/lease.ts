import { type FileSystem, folderOf, joinPath, nameOf } from './file-system.ts'

/** What a lease file holds. */
interface LeaseText {
  readonly owner: string
  /** Grows with each renewal, so that others see that the owner lives. */
  readonly beat: number
}

export interface LeaseOptions {
  readonly fileSystem: () => Promise<FileSystem>
  readonly folder: string
  readonly extension: string
  /** Who takes leases: a connector. What it left behind itself is taken again at once. */
  readonly owner: string
  /** A lease of another that has not changed for so long is left over from a crash. */
  readonly timeoutMs: number
  /** A clock for waits, in milliseconds. */
  readonly nowMs: () => number
}

/**
 * Says who reads a file, by a small file beside it, so that two connectors on one folder do not both read it. Unlike the
 * marker of SpoolDir a lease ends: one that was left behind by a crash hides its file for a while and not for ever. Clocks of
 * several machines are not compared: a lease is over when we have seen it unchanged for the whole time.
 */
export class Leases {
  readonly #o: LeaseOptions
  readonly #held = new Map<string, { beat: number; renewedMs: number }>()
  readonly #seen = new Map<string, { readonly text: string; readonly sinceMs: number }>()

  constructor(options: LeaseOptions) {
    this.#o = options
  }

  /** Whether a file of this name is a lease and no data. */
  isLease(path: string): boolean {
    return path.endsWith(this.#o.extension)
  }

  /** Takes the lease of a file; false when another has it. */
  async take(path: string): Promise<boolean> {
    const { owner, nowMs, timeoutMs } = this.#o
    const system = await this.#o.fileSystem()
    const lease = this.#pathOf(path)
    const beat = 1
    if (!(await system.write(lease, textOf({ owner, beat }), 'new'))) {
      const found = (await system.read(lease))?.toString('utf8') ?? ''
      if (ownerOf(found) !== owner) {
        const seen = this.#seen.get(path)
        if (seen === undefined || seen.text !== found) {
          this.#seen.set(path, { text: found, sinceMs: nowMs() })
          return false
        }
        if (nowMs() - seen.sinceMs < timeoutMs) return false
      }
      // Another was faster, where the place can tell.
      if (!(await system.write(lease, textOf({ owner, beat }), 'replace'))) return false
    }
    this.#seen.delete(path)
    this.#held.set(path, { beat, renewedMs: nowMs() })
    return true
  }

  /** Renews leases before others take them for left over. */
  async renew(): Promise<void> {
    const { owner, nowMs, timeoutMs } = this.#o
    for (const [path, held] of this.#held) {
      if (nowMs() - held.renewedMs < timeoutMs / RENEWALS) continue
      held.beat++
      held.renewedMs = nowMs()
      const system = await this.#o.fileSystem()
      const isOurs = await system.write(this.#pathOf(path), textOf({ owner, beat: held.beat }), 'replace')
      // It was over before it was renewed, and another has it now: the file is read twice, and that lease is not ours to end.
      if (!isOurs) this.#held.delete(path)
    }
  }

  async release(path: string): Promise<void> {
    if (!this.#held.delete(path)) return
    await (await this.#o.fileSystem()).remove(this.#pathOf(path))
  }

  /** Removes leases of ours whose file is gone: a crash came between the move of the file and the end of its lease. */
  async sweep(paths: ReadonlySet<string>, isOurs: (path: string) => boolean): Promise<void> {
    const { owner, extension } = this.#o
    for (const lease of paths) {
      const path = lease.slice(0, -extension.length)
      if (!this.isLease(lease) || paths.has(path) || this.#held.has(path) || !isOurs(path)) continue
      const system = await this.#o.fileSystem()
      const text = await system.read(this.#pathOf(path))
      if (text !== null && ownerOf(text.toString('utf8')) === owner) await system.remove(this.#pathOf(path))
    }
  }

  /** Forgets leases that others had on files that are gone. */
  forget(isThere: (path: string) => boolean): void {
    for (const path of this.#seen.keys()) if (!isThere(path)) this.#seen.delete(path)
  }

  async releaseAll(): Promise<void> {
    for (const path of this.#held.keys()) await this.release(path)
  }

  #pathOf(path: string): string {
    const folder = folderOf(path)
    const name = nameOf(path) + this.#o.extension
    return joinPath(this.#o.folder, folder === '' ? name : `${folder}/${name}`)
  }
}

/** So often within its time a lease is renewed. */
const RENEWALS = 4

function textOf(lease: LeaseText): Buffer {
  return Buffer.from(`${JSON.stringify(lease)}\n`)
}

/** Undefined for what is no lease of ours, such as the empty marker of SpoolDir. */
function ownerOf(text: string): unknown {
  try {
    return (JSON.parse(text) as Partial<LeaseText> | null)?.owner
  } catch {
    return undefined
  }
}
