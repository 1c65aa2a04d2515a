// The packages of authors as npm would get them: the testkit from its tarball checks a plugin in a folder of its own.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BuiltCheckout, runOrFail } from '../services/packages.ts'

const counter = `
import { defineConfig, defineSourceConnector, FINISHED, schemas } from '@millrace/sdk'

const config = defineConfig({ topic: { type: 'string', importance: 'high', doc: 'The topic to write to' } })

export default defineSourceConnector({
  name: 'CounterSource',
  version: '1.2.3',
  config,
  taskConfigs: (_config, _maxTasks, raw) => [raw],
  createTask({ topic }, context) {
    const sourcePartition = { topic }
    let next = 1
    return {
      async start() {
        next = Number((await context.offsets.offset(sourcePartition))?.next ?? 1)
      },
      poll() {
        if (next > 9) return FINISHED
        const record = { topic, partition: null, key: null, keySchema: null, headers: [], timestamp: null }
        const value = { value: next++, valueSchema: schemas.int32 }
        return [{ ...record, ...value, sourcePartition, sourceOffset: { next } }]
      },
    }
  },
})
`

const conformance = `
import { describeSource } from '@millrace/testkit'
import source from '../dist/source.js'

describeSource(source, {
  packageFile: new URL('../package.json', import.meta.url),
  module: new URL('../dist/source.js', import.meta.url),
  limits: { starts: 20, kills: 2 },
  open: () => ({ config: { topic: 'numbers' } }),
  notApplicable: { outage: 'there is no system', tombstones: 'numbers stay', 'schema-evolution': 'numbers keep their shape' },
})
`

const packageJson = {
  name: 'connector-counter',
  version: '1.2.3',
  license: 'Apache-2.0',
  type: 'module',
  keywords: ['millrace-plugin'],
  files: ['dist', 'conformance.json'],
  peerDependencies: { '@millrace/sdk': '^0.1.0' },
  millrace: { plugins: [{ kind: 'source', name: 'CounterSource', aliases: [], module: 'dist/source.js' }] },
}

let folder: string
let home: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-testkit-package-'))
  const checkout = new BuiltCheckout(folder)
  const tarballs = { '@millrace/sdk': checkout.pack('sdk'), '@millrace/testkit': checkout.pack('testkit') }
  const devDependencies = Object.fromEntries(Object.entries(tarballs).map(([name, path]) => [name, `file:${path}`]))
  home = join(folder, 'home')
  for (const path of ['dist', 'test']) mkdirSync(join(home, path), { recursive: true })
  writeFileSync(join(home, 'package.json'), JSON.stringify({ ...packageJson, devDependencies }))
  writeFileSync(join(home, 'dist/source.js'), counter)
  writeFileSync(join(home, 'test/conformance.test.js'), conformance)
  // Vitest is a peer, and here already.
  runOrFail('npm', ['install', '--offline', '--legacy-peer-deps'], home)
  const vitest = fileURLToPath(new URL('../../node_modules/vitest', import.meta.url))
  symlinkSync(vitest, join(home, 'node_modules/vitest'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a package holds what it exports, and none of its sources', () => {
  for (const name of ['sdk', 'testkit']) {
    const root = join(home, 'node_modules/@millrace', name)
    expect(readdirSync(root).toSorted()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json'])
    const files = readdirSync(join(root, 'dist'))
    expect(files).toContain('index.js')
    expect(files).toContain('index.d.ts')
    expect(files.filter((file) => !/\.(js|d\.ts)$/.test(file))).toEqual([])
  }
})

test('the checks run from the package and write the report into the package of the plugin, the same each time', () => {
  const vitest = join(home, 'node_modules/vitest/vitest.mjs')
  const reports = [1, 2].map(() => {
    runOrFail(process.execPath, [vitest, 'run', '--root', home], home)
    return readFileSync(join(home, 'conformance.json'), 'utf8')
  })
  expect(reports[1]).toBe(reports[0])
  const report = JSON.parse(reports[0] ?? '')
  expect(report).toMatchObject({
    conformance: 1,
    package: { name: 'connector-counter', version: '1.2.3' },
    sdk: '0.1.0',
    testkit: '0.1.0',
  })
  expect(report.plugins).toHaveLength(1)
  const [plugin] = report.plugins
  expect(plugin).toMatchObject({ kind: 'source', name: 'CounterSource', failed: 0, seed: 1 })
  expect(plugin.guarantee).toEqual({ claimed: 'at-least-once', proved: 'at-least-once', by: ['resume', 'kill'] })
  expect(reports[0]).not.toContain(home)
})
