#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { createPackage, type Created } from './create.ts'
import { Failure } from './failure.ts'
import { HELP, type Options, parseOptions } from './options.ts'
import { type Answers, ask, defaultAnswers } from './questions.ts'

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const print = (text: string): void => void process.stdout.write(`${text}\n`)

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

async function answersOf(options: Options, abort: AbortController): Promise<Answers> {
  if (options.yes || options.json) return defaultAnswers(options)
  if (!process.stdin.isTTY) {
    throw new Failure('USAGE', 'there is no terminal to ask in; give --yes and the options that --help shows')
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // Ctrl-C and Ctrl-D at a question; an answer that never comes would end the process without a word.
  const onClose = () => abort.abort()
  terminal.once('close', onClose)
  try {
    return await ask(options, terminal, abort.signal, say)
  } finally {
    terminal.off('close', onClose)
    terminal.close()
  }
}

function nextSteps({ folder, verified }: Created, { names }: Answers): string {
  const steps = [`cd ${names.folder}`, ...(verified ? [] : ['npm install', 'npm test']), 'npm run dev']
  const state = verified ? 'It is installed, builds and passes its conformance test.' : 'Nothing is installed yet.'
  return `\n${names.package} is in ${folder}. ${state}\n\n${steps.map((step) => `  ${step}\n`).join('')}`
}

async function run(options: Options): Promise<void> {
  if (options.help) return print(HELP)
  if (options.version) return print(version())
  const abort = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort())
  const answers = await answersOf(options, abort)
  const created = await createPackage(answers, {
    parent: process.cwd(),
    install: options.install,
    packages: options.packages,
    signal: abort.signal,
    onStep: (text) => say(`- ${text}`),
  })
  if (!options.json) return print(nextSteps(created, answers))
  const { names, type } = answers
  print(JSON.stringify({ ok: true, package: names.package, type, ...created }))
}

const json = process.argv.includes('--json')
try {
  await run(parseOptions(process.argv.slice(2)))
} catch (error) {
  // The system's errors, such as EACCES, say what is wrong; only for others it is worth knowing where they come from.
  const { code, message, stack } = error as NodeJS.ErrnoException
  const text = code === undefined ? (stack ?? String(error)) : message
  if (json) print(JSON.stringify({ ok: false, code: code ?? 'UNKNOWN', message: text }))
  else say(text)
  process.exitCode = 1
}
