import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AuthorTools } from '../../services/author-tools.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { endProcess } from '../../services/end-process.ts'
import { freePort } from '../../services/free-port.ts'
import { foreignEnvironment } from '../../services/packages.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** A step may install packages and run a conformance test. */
const STEP_MS = 250_000
const ATTEMPTS = 3

type Step =
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  | { readonly kind: 'run'; readonly script: string; readonly expected?: string; readonly later?: string }
  | { readonly kind: 'background'; readonly script: string; readonly until: string }
  | { readonly kind: 'stop' }

/** The blocks of the tutorial with what the comments before them say. A block that no comment or shell runs is an error. */
function stepsOf(page: string): Step[] {
  const steps: Step[] = []
  let notes = new Map<string, string>()
  const parts = page.matchAll(
    /^<!-- (file|expect|in the background, until it says|then the background says): (.*) -->$|^<!-- stop the background -->$|^```(\w+)\n([\s\S]*?)^```$/gm,
  )
  for (const [all, note, value = '', language, text = ''] of parts) {
    if (note) notes.set(note, value)
    else if (all.startsWith('<!--')) steps.push({ kind: 'stop' })
    else {
      steps.push(stepOf(language as string, text, notes))
      notes = new Map()
    }
  }
  return steps
}

function stepOf(language: string, text: string, notes: ReadonlyMap<string, string>): Step {
  const path = notes.get('file')
  if (path !== undefined) return { kind: 'file', path, text }
  if (language !== 'sh') throw new Error(`nobody says what to do with the block: ${text}`)
  const until = notes.get('in the background, until it says')
  if (until !== undefined) return { kind: 'background', script: text, until }
  const [expected, later] = [notes.get('expect'), notes.get('then the background says')]
  return { kind: 'run', script: text, ...(expected ? { expected } : {}), ...(later ? { later } : {}) }
}

const steps = stepsOf(readFileSync(join(root, 'docs/authors/tutorial.md'), 'utf8'))
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-tutorial-')))
const background: ChildProcess[] = []
let place = join(folder, 'work')
let output = ''
let ported: (text: string) => string

beforeAll(async () => {
  const tools = new AuthorTools(folder)
  mkdirSync(place)
  const [desk, kafka, rest] = [await freePort(), await freePort(), await freePort()]
  const millrace = `'${process.execPath}' --conditions=source '${join(root, 'src/cli/launch.js')}'`
  ported = (text) =>
    text
      .replaceAll('8090', String(desk))
      .replaceAll('localhost:8083', `localhost:${rest}`)
      .replaceAll(/npm create millrace-connector@latest (\S+) -- (.*)/g, (_, name, args) =>
        tools.commandLine(name, args),
      )
      .replaceAll('npm run dev', `${millrace} dev-plugin --kafka-port ${kafka} --rest-port ${rest}`)
      .replaceAll('npx millrace', millrace)
})

afterAll(async () => {
  for (const child of background.splice(0)) await endProcess(child, 'SIGINT', () => output)
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a script where the last one ended, as in one terminal. */
function run(script: string): { status: number | null; said: string } {
  const after = join(folder, 'place')
  const whole = `set -e\n${script}\npwd > '${after}'`
  const options = { cwd: place, encoding: 'utf8', timeout: STEP_MS, env: foreignEnvironment() } as const
  for (let attempt = 1; ; attempt++) {
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', whole], options)
    const said = `${stdout}${stderr}`
    if (status === 0) place = readFileSync(after, 'utf8').trim()
    // A registry that does not answer for a moment is no fault of the page.
    if (status === 0 || !said.includes('npm install') || attempt === ATTEMPTS) return { status, said }
  }
}

async function start(script: string, until: string): Promise<void> {
  const from = output.length
  const options = { cwd: place, env: foreignEnvironment() }
  const child = spawn('/bin/sh', ['-c', `exec ${script}`], options)
  background.push(child)
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await says(until, from)
}

async function says(text: string, from: number): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; !output.slice(from).includes(text); await sleep(50)) {
    if (Date.now() > deadline) expect.fail(`nobody said "${text}": ${output.slice(from)}`)
  }
}

async function take(step: Step): Promise<void> {
  switch (step.kind) {
    case 'file':
      mkdirSync(dirname(join(place, step.path)), { recursive: true })
      return writeFileSync(join(place, step.path), ported(step.text))
    case 'background':
      return start(ported(step.script), step.until)
    case 'stop': {
      const last = background.pop()
      expect(last && (await endProcess(last, 'SIGINT', () => output))).toBe(0)
      return
    }
    case 'run': {
      const from = output.length
      const { status, said } = run(ported(step.script))
      expect(status, `${step.script}\n${said}\n${output.slice(from)}`).toBe(0)
      if (step.expected !== undefined) expect(said).toContain(step.expected)
      if (step.later !== undefined) await says(step.later, from)
    }
  }
}

test('the tutorial has its steps', () => {
  expect(steps.filter(({ kind }) => kind === 'file').length).toBeGreaterThan(5)
  expect(steps.filter(({ kind }) => kind === 'run').length).toBeGreaterThan(7)
})

test('every step of the tutorial does what it says', { timeout: 900_000 }, async () => {
  for (const step of steps) await take(step)
})
