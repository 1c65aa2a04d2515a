import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file of lines, the simplest system that a connector can read from or write to. */
export interface LinesFile {
  readonly path: string
  read(): readonly string[]
  append(lines: readonly string[]): Promise<void>
  close(): void
}

/** A file in a folder of its own. */
export function linesFile(): LinesFile {
  const folder = mkdtempSync(join(tmpdir(), 'testkit-'))
  const path = join(folder, 'lines')
  writeFileSync(path, '')
  return {
    path,
    read: () => readLines(path),
    append: (lines) => appendFile(path, lines.map((line) => `${line}\n`).join('')),
    close: () => rmSync(folder, { recursive: true }),
  }
}

/** The lines of a file; none where there is no file. */
export function readLines(path: string): readonly string[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8').split('\n').slice(0, -1)
}
