import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * What is written to: put a client of your own system in place of this file. All that the task asks of it is that a write
 * that has resolved is durable, and that writing the same again changes nothing.
 */
export class Files {
  readonly #folder: string
  readonly #extension: string

  constructor(folder: string, extension: string) {
    this.#folder = folder
    this.#extension = extension
  }

  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
  }

  /** The name of the file of a key, or undefined for a key that no file can be named after. */
  nameOf(key: string): string | undefined {
    const name = encodeURIComponent(key).replaceAll('.', '%2E') + this.#extension
    return key === '' || name.length > 200 ? undefined : name
  }

  async write(name: string, text: string): Promise<void> {
    const path = join(this.#folder, name)
    const temporary = `${path}.new`
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    // A reader sees the old file or the new one, never half of one.
    await rename(temporary, path)
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true })
  }
}
