import { getCompileCacheDir } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Where compiled code and stripped types are kept between starts. The folder is the user's own: who can write to it
 * decides what code runs.
 */
export function compileCacheFolder(): string {
  return getCompileCacheDir() ?? join(homedir(), '.cache', 'millrace', 'compiled')
}
