import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

const SKIPPED = new Set(['node_modules', 'dist', '.git', 'generated', 'golden', 'coverage'])

/** All TypeScript files below the given folders, as paths relative to the root with forward slashes. */
export function sourceFiles(...folders: string[]): string[] {
  const found: string[] = []
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (SKIPPED.has(entry.name)) continue
      const path = join(folder, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (entry.name.endsWith('.ts')) found.push(relative(root, path).replaceAll('\\', '/'))
    }
  }
  for (const folder of folders) walk(join(root, folder))
  return found.sort()
}

export function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}
