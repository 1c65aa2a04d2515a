import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { PLUGIN_TYPES } from '../src/options.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const json = (path: string) => JSON.parse(read(path))
const common = json('../templates/common/package.json')

test('templates use the versions of tools that this repository uses', () => {
  const { devDependencies } = json('../../../package.json')
  for (const name of ['@types/node', 'typescript', 'vitest']) {
    expect(`${name} ${common.devDependencies[name]}`).toBe(`${name} ${devDependencies[name]}`)
  }
})

test('templates ask for the SDK, the testkit and the command line of this version', () => {
  const { version } = json('../package.json')
  expect(common.peerDependencies['@millrace/sdk']).toBe(`^${json('../../sdk/package.json').version}`)
  expect(common.devDependencies['@millrace/sdk']).toBe(common.peerDependencies['@millrace/sdk'])
  expect(common.devDependencies['@millrace/testkit']).toBe(`^${json('../../testkit/package.json').version}`)
  expect(common.scripts.dev).toContain(`millrace@^${json('../../../package.json').version} `)
  expect(version).toBe(json('../../../package.json').version)
})

test.each(['ci', 'release'])('actions of the workflow %s are pinned by their commits', (name) => {
  const uses = read(`../templates/common/.github/workflows/${name}.yml`).match(/uses: .*/g) ?? []
  expect(uses.length).toBeGreaterThan(1)
  expect(uses.filter((line) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([])
})

test('only the release may ask for an identity, and it publishes with provenance', () => {
  expect(read('../templates/common/.github/workflows/ci.yml')).not.toContain('id-token')
  const release = read('../templates/common/.github/workflows/release.yml')
  expect(release).toContain('id-token: write')
  expect(release).toContain('npm publish --provenance')
})

test('every command of the workflows is a script of the package, or npm itself', () => {
  const text =
    read('../templates/common/.github/workflows/ci.yml') + read('../templates/common/.github/workflows/release.yml')
  const scripts = [...text.matchAll(/npm run ([a-z]+)/g)].map(([, script]) => script)
  expect(scripts.length).toBeGreaterThan(4)
  expect(scripts.filter((script) => !((script as string) in common.scripts))).toEqual([])
})

test.each(PLUGIN_TYPES)('the manifest of the template %s names its class and its module', (type) => {
  const { millrace, keywords } = json(`../templates/${type}/package.json`)
  expect(keywords).toContain('millrace-plugin')
  const [plugin] = millrace.plugins
  const source = read(`../templates/${type}/${plugin.module.replace('dist/', 'src/').replace('.js', '.ts')}`)
  expect(source).toContain(`name: '${plugin.name}'`)
})
