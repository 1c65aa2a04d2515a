// What tests download or compile is kept in the user's cache folder, once for each machine.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cacheFolder = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace', 'services')

/** Where a folder of the cache is, or will be. */
export const cachePath = (name: string): string => join(cacheFolder(), name)

/** A folder of the cache, which is there whole or not at all: `fill` gets a folder beside it that takes its name at the end. */
export async function cachedFolder(name: string, fill: (partial: string) => Promise<void>): Promise<string> {
  const folder = cachePath(name)
  if (existsSync(folder)) return folder
  await mkdir(cacheFolder(), { recursive: true })
  const partial = await mkdtemp(`${folder}-partial-`)
  try {
    await fill(partial)
    // Whoever renames first wins; the loser's copy goes away.
    await rename(partial, folder).catch(() => undefined)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return folder
}
