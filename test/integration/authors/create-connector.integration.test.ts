// Every type of plugin that `npm create millrace-connector` makes is made here from the packed packages, as its author
// gets them: installed, type-checked, built and run through its conformance test by the command itself, then packed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { AuthorTools } from '../../services/author-tools.ts'
import { runOrFail } from '../../services/packages.ts'

// Downloads and a conformance test, on a machine that may be busy.
vi.setConfig({ testTimeout: 900_000 })

const folder = mkdtempSync(join(tmpdir(), 'millrace-create-'))
let tools: AuthorTools

beforeAll(() => {
  tools = new AuthorTools(folder)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What `npm pack` would put into the package. */
function packedFiles(project: string): string[] {
  const said = runOrFail('npm', ['pack', '--dry-run', '--json'], project)
  const [packed] = JSON.parse(said.slice(said.indexOf('[\n'))) as { files: { path: string }[] }[]
  return packed?.files.map(({ path }) => path) ?? []
}

test.each([
  ['source', 'HackerNewsSource', 'source', 'at-least-once'],
  ['sink', 'HackerNewsSink', 'sink', 'idempotent'],
  ['transform', 'HackerNews', 'transformation', undefined],
  ['converter', 'HackerNewsConverter', 'converter', undefined],
])('a new %s is there with its types checked, built and conforming', (type, name, kind, guarantee) => {
  const parent = join(folder, type)
  mkdirSync(parent)
  const project = tools.create(parent, '@acme/connector-hacker-news', ['--type', type, '--license', 'MIT'])
  expect(project).toBe(join(parent, 'connector-hacker-news'))
  const report = JSON.parse(readFileSync(join(project, 'conformance.json'), 'utf8'))
  expect(report.plugins).toHaveLength(1)
  expect(report.plugins[0]).toMatchObject({ kind, name, failed: 0 })
  expect(report.plugins[0].passed).toBeGreaterThan(8)
  expect(report.plugins[0].guarantee?.proved).toBe(guarantee)
  const files = packedFiles(project)
  expect(files).toEqual(expect.arrayContaining([`dist/${type}.js`, `dist/${type}.d.ts`, 'conformance.json', 'LICENSE']))
  expect(files.filter((file) => /^(src|test|node_modules|scripts)\//.test(file))).toEqual([])
  expect(existsSync(join(project, '.gitignore'))).toBe(true)
  // The table was written, and would be missed if it were old.
  expect(readFileSync(join(project, 'README.md'), 'utf8')).toMatch(/\| `[\w.]+` +\| /)
  runOrFail('npm', ['run', 'readme', '--', '--check'], project)
  const readme = readFileSync(join(project, 'README.md'), 'utf8')
  writeFileSync(join(project, 'README.md'), readme.replace(/\| `[\w.]+` +\| .*\n/, ''))
  expect(() => runOrFail('npm', ['run', 'readme', '--', '--check'], project)).toThrow('is not what the definitions say')
})

test('a template that does not conform leaves nothing, and the command says why', () => {
  const parent = join(folder, 'broken')
  mkdirSync(parent)
  const file = tools.templateFile('source/src/source.ts')
  const before = readFileSync(file, 'utf8')
  try {
    writeFileSync(file, before.replace("version: '0.1.0'", "version: '9.9.9'"))
    expect(() => tools.create(parent, 'liar', [])).toThrow(/TEST_FAILED[\s\S]*9\.9\.9/)
  } finally {
    writeFileSync(file, before)
  }
  expect(spawnSync('ls', ['-A', parent], { encoding: 'utf8' }).stdout).toBe('')
})
