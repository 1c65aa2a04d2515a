import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createPackage, type CreateOptions } from '../src/create.ts'
import { parseOptions } from '../src/options.ts'
import { defaultAnswers } from '../src/questions.ts'

let parent = ''

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'create-connector-'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(parent, { recursive: true, force: true })
})

function create(args: readonly string[], changes: Partial<CreateOptions> = {}) {
  const { signal } = new AbortController()
  const options = { parent, install: false, packages: {}, signal, onStep: () => undefined, ...changes }
  return createPackage(defaultAnswers(parseOptions(args)), options)
}

/** Puts a program called npm before the real one: it writes down what it was asked for. */
function fakeNpm(script: string): void {
  const folder = join(parent, 'bin')
  mkdirSync(folder)
  writeFileSync(join(folder, 'npm'), `#!/bin/sh\necho "$*" >> "${folder}/asked"\n${script}\n`)
  chmodSync(join(folder, 'npm'), 0o755)
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH']}`)
  vi.stubEnv('npm_execpath', undefined)
}

const asked = () => readFileSync(join(parent, 'bin/asked'), 'utf8').trim().split('\n')
const left = () => readdirSync(parent).filter((name) => name !== 'bin')

test('the files are written, with the names of the package in all of them', async () => {
  const { folder, files, verified } = await create(['@acme/connector-hacker-news', '--author', 'Ada'])
  expect(folder).toBe(join(parent, 'connector-hacker-news'))
  expect(verified).toBe(false)
  expect(files).toContain('examples/hacker-news.json')
  expect(files).toContain('.gitignore')
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'))
  expect(texts.join('\n')).not.toMatch(/starling/i)
  const json = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  expect(json).toMatchObject({ name: '@acme/connector-hacker-news', author: 'Ada', license: 'Apache-2.0' })
  expect(json.millrace.plugins[0]).toMatchObject({ kind: 'source', name: 'HackerNewsSource' })
  expect(left()).toEqual(['connector-hacker-news'])
})

test('a package may be about starlings, too', async () => {
  const { folder } = await create(['connector-starling-flock'])
  const json = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  expect(json).toMatchObject({ name: 'connector-starling-flock' })
  expect(json.millrace.plugins[0].name).toBe('StarlingFlockSource')
})

test('others may read the folder as the umask says', async () => {
  const { folder } = await create(['drawer'])
  expect(statSync(folder).mode & 0o777).toBe(0o777 & ~process.umask())
})

test('a repository and a licence go where npm and people look for them', async () => {
  const { folder } = await create(['drawer', '--license', 'MIT', '--author', 'Ada', '--repository', 'acme/drawer'])
  const json = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  expect(json.repository).toEqual({ type: 'git', url: 'git+https://github.com/acme/drawer.git' })
  expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toMatch(/MIT License[\s\S]*Ada/)
})

test('a package without licence is private and has no licence file', async () => {
  const { folder, files } = await create(['drawer', '--license', 'UNLICENSED'])
  expect(files).not.toContain('LICENSE')
  expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toMatchObject({ private: true })
})

test('it is installed, checked, built and tested before it is there', async () => {
  fakeNpm(`ls "${parent}" > /dev/null`)
  const { verified } = await create(['drawer'], { install: true })
  expect(verified).toBe(true)
  expect(asked()).toEqual([
    '--version',
    'install --ignore-scripts --no-audit --no-fund',
    'run types',
    'run build',
    'run readme',
    'test',
  ])
  expect(left()).toEqual(['drawer'])
})

test.each([
  ['install', 'INSTALL_FAILED'],
  ['types', 'BUILD_FAILED'],
  ['build', 'BUILD_FAILED'],
  ['test', 'TEST_FAILED'],
])('when %s fails nothing is left, and npm says why', async (step, code) => {
  fakeNpm(`case "$*" in *${step}*) echo "the reason" >&2; exit 3;; esac`)
  const creating = create(['drawer'], { install: true })
  await expect(creating).rejects.toMatchObject({ code, message: expect.stringContaining('the reason') })
  expect(left()).toEqual([])
})

test('an interruption leaves nothing', async () => {
  fakeNpm('case "$*" in install*) exec sleep 600;; esac')
  const abort = new AbortController()
  const onStep = (text: string) => void (text === 'installing' && setImmediate(() => abort.abort()))
  const creating = create(['drawer'], { install: true, signal: abort.signal, onStep })
  await expect(creating).rejects.toMatchObject({ code: 'INTERRUPTED' })
  expect(left()).toEqual([])
})

test('without npm nothing is written, and the way out is told', async () => {
  vi.stubEnv('PATH', parent)
  vi.stubEnv('npm_execpath', undefined)
  const creating = create(['drawer'], { install: true })
  await expect(creating).rejects.toMatchObject({ code: 'NO_NPM', message: expect.stringContaining('--no-install') })
  expect(left()).toEqual([])
})

test('what is there already stays', async () => {
  mkdirSync(join(parent, 'drawer'))
  writeFileSync(join(parent, 'drawer/mine'), 'mine')
  await expect(create(['drawer'])).rejects.toMatchObject({ code: 'FOLDER_EXISTS' })
  expect(readdirSync(join(parent, 'drawer'))).toEqual(['mine'])
})

test('a folder that came meanwhile stays', async () => {
  const onStep = () => {
    mkdirSync(join(parent, 'drawer'))
    writeFileSync(join(parent, 'drawer/mine'), 'mine')
  }
  await expect(create(['drawer'], { onStep })).rejects.toMatchObject({ code: 'FOLDER_EXISTS' })
  expect(readdirSync(join(parent, 'drawer'))).toEqual(['mine'])
  expect(left()).toEqual(['drawer'])
})

test('a parent that is no folder is named', async () => {
  const creating = create(['drawer'], { parent: join(parent, 'nowhere') })
  await expect(creating).rejects.toMatchObject({
    code: 'NO_PARENT_FOLDER',
    message: expect.stringContaining('nowhere'),
  })
})
