import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { endProcess } from '../../services/end-process.ts'
import { freePort } from '../../services/free-port.ts'
import { requireCommand } from '../../services/require.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

interface Step {
  readonly script: string
  readonly expected: string | undefined
  readonly repeats: boolean
}

/** The shell blocks of the tour, with what the comments before them say. */
function steps(readme: string): Step[] {
  const from = readme.indexOf('## A five-minute tour')
  const tour = readme.slice(from, readme.indexOf('\n## ', from + 1))
  const found: Step[] = []
  let expected: string | undefined
  let repeats = false
  for (const match of tour.matchAll(/<!-- expect: (.*?) -->|<!-- (until it does) -->|```sh\n([\s\S]*?)```/g)) {
    if (match[1]) expected = match[1]
    else if (match[2]) repeats = true
    else {
      found.push({ script: match[3] as string, expected, repeats })
      expected = undefined
      repeats = false
    }
  }
  return found
}

const tour = steps(readFileSync(join(root, 'README.md'), 'utf8'))
const missing = requireCommand('kcat', 'apt-get install kcat')
const folder = mkdtempSync(join(tmpdir(), 'millrace-tour-'))
let kafkaPort = 0
let restPort = 0
let product: ChildProcess | undefined
let output = ''

beforeAll(async () => {
  if (missing) return
  kafkaPort = await freePort()
  restPort = await freePort()
  const ports = ['--kafka-port', String(kafkaPort), '--rest-port', String(restPort)]
  product = spawn(process.execPath, ['--conditions=source', 'src/cli/launch.js', 'dev', ...ports], { cwd: root })
  for (const stream of [product.stdout, product.stderr]) stream?.on('data', (chunk) => (output += chunk))
  const ready = async () => {
    const response = await fetch(`http://127.0.0.1:${restPort}/connectors?expand=status`).catch(() => undefined)
    const text = (await response?.text()) ?? ''
    return (text.match(/"state":"RUNNING"/g) ?? []).length >= 6
  }
  for (const deadline = Date.now() + DEADLINE_MS; !(await ready()); await sleep(100)) {
    if (product.exitCode !== null || Date.now() > deadline) throw new Error(`npm start is not ready: ${output}`)
  }
})

afterAll(async () => {
  if (product) await endProcess(product, 'SIGINT', () => output)
  rmSync(folder, { recursive: true, force: true })
})

test('the tour has its steps', () => {
  expect(tour.length).toBeGreaterThanOrEqual(9)
})

test.skipIf(missing)('every step of the tour in the README does what it says', async () => {
  for (const { script, expected, repeats } of tour) {
    const mine = script
      .replaceAll('localhost:9092', `localhost:${kafkaPort}`)
      .replaceAll('localhost:8083', `localhost:${restPort}`)
      .replaceAll('/tmp/millrace-tour.txt', join(folder, 'tour.txt'))
    for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(200)) {
      const result = spawnSync('/bin/sh', ['-c', mine], { cwd: root, encoding: 'utf8', timeout: DEADLINE_MS })
      const fits = result.status === 0 && (expected === undefined || result.stdout.includes(expected))
      if (fits) break
      // What only looks may have come too early: the demo has only begun to write.
      const looks = !/-X (POST|DELETE)/.test(script)
      if (!(repeats || looks) || Date.now() > deadline) {
        expect.fail(`expected "${expected}" of:\n${script}\ngot ${result.status}: ${result.stdout}${result.stderr}`)
      }
    }
  }
})

test.skipIf(missing)('Ctrl-C stops everything and leaves a summary whose counts agree', async () => {
  // What it said last may come after its end.
  const isHeard = Promise.all(
    [product?.stdout, product?.stderr].flatMap((stream) => (stream ? [finished(stream)] : [])),
  )
  expect(product && (await endProcess(product, 'SIGINT', () => output)), output).toBe(0)
  await isHeard
  expect(output).toContain('The counts agree.')
})
