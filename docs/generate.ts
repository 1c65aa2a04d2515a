/**
 * `npm run docs`: writes what follows from definitions: docs/reference/*.md, the option tables of the connectors'
 * READMEs, the import table of ARCHITECTURE.md and the list of decisions.
 * `--check` writes nothing and fails where a file differs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ALLOWED } from '../test/tidy/import-table.ts'
import { readmeTables, reference } from './generator/reference.ts'
import { code, table } from './generator/tables.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const check = process.argv.includes('--check')
const stale: string[] = []

function write(path: string, content: string): void {
  const file = join(root, path)
  if (existsSync(file) && readFileSync(file, 'utf8') === content) return
  if (check) {
    stale.push(path)
    return
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  console.log(`wrote ${path}`)
}

/** What hand-written files become; a file may have several generated parts. */
const edited = new Map<string, string>()

/** Replaces what stands between the two marker comments of a hand-written file. */
function between(path: string, marker: string, content: string): void {
  const text = edited.get(path) ?? readFileSync(join(root, path), 'utf8')
  const [begin, end] = [`<!-- generated: ${marker} -->`, `<!-- end of generated: ${marker} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`${path} has no markers for "${marker}"`)
  edited.set(path, `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`)
}

function importTable(): string {
  const rows = Object.entries(ALLOWED).map(([module, allowed]) => [code(module), allowed.map(code).join(', ') || '-'])
  return table(['module', 'may import'], rows)
}

/** The decision records by their titles. */
function decisions(): string {
  const files = readdirSync(join(root, 'docs/adr')).toSorted()
  const title = (file: string): string =>
    /^# (.*)$/m.exec(readFileSync(join(root, 'docs/adr', file), 'utf8'))?.[1] ?? file
  return files.map((file) => `- [${title(file)}](adr/${file})`).join('\n')
}

between('docs/README.md', 'decisions', decisions())
between('ARCHITECTURE.md', 'import table', importTable())
for (const { path, marker, content } of await readmeTables()) between(path, marker, content)
for (const [path, content] of [...edited, ...(await reference())]) write(path, content)
if (stale.length > 0) {
  console.error(`not what the definitions say; run "npm run docs": ${stale.join(', ')}`)
  process.exitCode = 1
}
