import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'create-connector-main-'))
afterAll(() => rmSync(folder, { recursive: true }))

const run = (...args: readonly string[]) =>
  spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8', timeout: 120_000 })

test('help and version are printed', () => {
  expect(run('--help').stdout).toContain('--type <type>')
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(run('--version')).toMatchObject({ status: 0, stdout: `${version}\n` })
})

test('without a terminal nothing is asked, and the options are named', () => {
  expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('give --yes') })
})

test('a new package and what to do next are told', () => {
  const { status, stdout } = run('drawer', '--type', 'sink', '--yes', '--no-install')
  expect(status).toBe(0)
  expect(stdout).toContain('Nothing is installed yet')
  expect(stdout).toContain('  npm install\n  npm test\n  npm run dev\n')
})

test('a program gets one object, whether it worked or not', () => {
  const made = run('tail', '--json', '--no-install')
  expect(JSON.parse(made.stdout)).toMatchObject({ ok: true, package: 'tail', type: 'source', verified: false })
  expect(made.status).toBe(0)
  const failed = run('tail', '--json', '--no-install')
  expect(JSON.parse(failed.stdout)).toMatchObject({ ok: false, code: 'FOLDER_EXISTS' })
  expect(failed.status).toBe(1)
  expect(readdirSync(folder)).toContain('tail')
})
