/**
 * `npm test`: types, lint, format, generated docs, then every test. Prints what was skipped and why; the last line is
 * `N passed, N failed, N skipped`. `--check-only` leaves the tests out.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { notRunLines } from './optional.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name: string): string => join(root, 'node_modules', '.bin', name)
const counts = { passed: 0, failed: 0, skipped: 0 }

function check(name: string, command: string, args: readonly string[]): void {
  const started = performance.now()
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  const ok = result.status === 0
  counts[ok ? 'passed' : 'failed']++
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  if (!ok) console.log(`${result.stdout}\n${result.stderr}${result.error ? String(result.error) : ''}`)
}

interface JsonReport {
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[]
  }[]
}

function report(file: string): void {
  const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as JsonReport
  for (const suite of testResults) {
    if (suite.status === 'failed' && suite.assertionResults.every((test) => test.status !== 'failed')) {
      counts.failed++
      console.log(`FAIL ${suite.name}: ${suite.message}`)
    }
    for (const test of suite.assertionResults) {
      if (test.status === 'passed') counts.passed++
      else if (test.status === 'failed') counts.failed++
      else {
        counts.skipped++
        console.log(`SKIPPED ${test.fullName}`)
      }
    }
  }
}

function tests(filters: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  const output = join(folder, 'report.json')
  try {
    const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${output}`, ...filters]
    const result = spawnSync(bin('vitest'), args, { cwd: root, stdio: 'inherit' })
    report(output)
    // An error outside of a test (an unhandled rejection, a broken worker) shows only in the exit code.
    if (result.status !== 0 && counts.failed === 0) counts.failed++
  } catch (error) {
    counts.failed++
    console.log(`FAIL the tests gave no report: ${String(error)}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const options = process.argv.slice(2)
check('types', bin('tsc'), [])
check('lint', bin('oxlint'), ['--type-aware', '--deny-warnings'])
check('format', bin('biome'), ['format', '.'])
check('generated docs are current', process.execPath, ['--conditions=source', 'docs/generate.ts', '--check'])
if (!options.includes('--check-only')) {
  // What it cannot get is missed, and told, by the tests that need it.
  if (options.length === 0)
    spawnSync(process.execPath, ['--conditions=source', 'test/services/prepare.ts'], { cwd: root, stdio: 'inherit' })
  tests(options)
  for (const line of notRunLines) console.log(line)
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.failed > 0 ? 1 : 0
