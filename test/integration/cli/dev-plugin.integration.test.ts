import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { endProcess } from '../../services/end-process.ts'
import { freePort } from '../../services/free-port.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
let folder = ''
let child: ChildProcess | undefined
let output = ''

/** A package as an author has it: sources that a build brings to dist/. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-dev-plugin-test-'))
  output = ''
  cpSync(join(root, 'plugins/examples/steady'), join(folder, 'src'), { recursive: true })
  const json = JSON.parse(readFileSync(join(folder, 'src/package.json'), 'utf8'))
  rmSync(join(folder, 'src/package.json'))
  for (const plugin of json.millrace.plugins) plugin.module = `dist/${plugin.module}`
  json.scripts = { build: 'node --check src/source.js && rm -rf dist && cp -r src dist' }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(json))
  mkdirSync(join(folder, 'node_modules/@millrace'), { recursive: true })
  symlinkSync(join(root, 'plugins/sdk'), join(folder, 'node_modules/@millrace/sdk'))
  mkdirSync(join(folder, 'examples'))
  example({ topic: 'numbers' })
})

afterEach(async () => {
  if (child) await endProcess(child, 'SIGINT', () => output)
  child = undefined
  rmSync(folder, { recursive: true, force: true })
})

function example(changes: Readonly<Record<string, string>>): void {
  const text = 'org.apache.kafka.connect.storage.StringConverter'
  const config = { 'connector.class': 'SteadySource', 'max.records': '3', 'value.converter': text, ...changes }
  writeFileSync(join(folder, 'examples/steady.json'), JSON.stringify({ name: 'steady', config }))
}

async function start(...args: readonly string[]): Promise<void> {
  const ports = ['--kafka-port', String(await freePort()), '--rest-port', String(await freePort())]
  const all = ['--conditions=source', join(root, 'src/cli/launch.js'), 'dev-plugin', ...ports, ...args]
  child = spawn(process.execPath, all, { cwd: folder })
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)))
}

/** Waits until it says so, and forgets what it said up to there. */
async function says(text: string): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; !output.includes(text); await sleep(20)) {
    if (Date.now() > deadline || child?.exitCode !== null) expect.fail(`it did not say "${text}": ${output}`)
  }
  output = output.slice(output.indexOf(text) + text.length)
}

function edit(change: (text: string) => string): void {
  const file = join(folder, 'src/source.js')
  writeFileSync(file, change(readFileSync(file, 'utf8')))
}

test('a package runs, shows its records, and starts again where it was on each save', async () => {
  await start()
  await says('numbers-0@2  null  2')
  edit((text) => text.replace('value: String(this.#next)', "value: 'number ' + this.#next"))
  await says('a file was saved')
  await says('is built and runs')
  // What is in the log does not come again: the source has ended, and is to count further.
  example({ topic: 'numbers', 'max.records': '5' })
  await says('numbers-0@3  null  number 3')
  await says('numbers-0@4  null  number 4')
  expect(child && (await endProcess(child, 'SIGINT', () => output))).toBe(0)
})

test('a package that does not build is told, and runs as soon as it does', async () => {
  edit((text) => text.replace('class SteadySourceTask', 'clas SteadySourceTask'))
  await start(folder)
  await says('does not build')
  await says('SyntaxError')
  edit((text) => text.replace('clas SteadySourceTask', 'class SteadySourceTask'))
  await says('numbers-0@2  null  2')
})

test('what the plugin logs and prints, a failure and a refused connector are told', async () => {
  example({ topic: 'numbers', 'batch.size': '0' })
  edit((text) =>
    text.replace(
      'async start() {',
      "async start() { this.#context.logger.info({ some: 'field' }, 'a line of the log'); console.log('a print'); throw new Error('broken on purpose');",
    ),
  )
  await start()
  await says('connector steady is refused')
  await says('batch.size')
  example({ topic: 'numbers' })
  await says('[steady-0] a line of the log {"some":"field"}')
  await says('broken on purpose')
})

test('a folder that is no plugin is refused with what it lacks', async () => {
  writeFileSync(join(folder, 'package.json'), '{"name":"a"}')
  await start()
  expect(child && (await endProcess(child, null, () => output))).toBe(1)
  expect(output).toContain('no key `millrace`')
})
