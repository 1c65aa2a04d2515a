// `millrace plugin` and a registry: which version a spec means, dependencies, signatures, attestations, advisories, and what
// is left of commands that fail or are killed on the way.
import { appendFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { endProcess } from '../../services/end-process.ts'
import { NpmRegistry, type Publication } from '../../services/npm-registry.ts'
import { until } from '../connect/connect-cluster.ts'
import { namesIn, PluginCli, sourceModule, sourcePackage } from './plugin-cli.ts'

const NAME = '@acme/tide'
let folder: string
let directory: string
let registry: NpmRegistry
let cli: PluginCli

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-registry-'))
  directory = join(folder, 'plugins')
  registry = await NpmRegistry.start()
  cli = new PluginCli(folder, registry.url)
})
afterEach(async () => {
  await registry?.stop()
  await rm(folder, { recursive: true, force: true })
})

const run = (...args: string[]) => cli.run(...args, '--dir', directory)

/** Publishes a version of the plugin, with a package that it depends on. */
async function publish(version: string, how: Publication = {}, more: object = {}): Promise<void> {
  const files = { 'source.js': sourceModule('TideSource', version, 'extra') }
  await registry.publish(
    sourcePackage(NAME, version, 'TideSource', { dependencies: { 'tide-tables': '^2.0.0' }, ...more }) as never,
    { files, ...how },
  )
  await registry.publish({ name: 'tide-tables', version: '2.1.0' }, { files: { 'index.js': 'export default []' } })
}

/** What a build of this content would be attested by; `digest` goes over that of the content. */
function provenance(integrity: string, version: string, digest?: string): unknown {
  const statement = {
    subject: [
      {
        name: `pkg:npm/%40acme/tide@${version}`,
        digest: { sha512: digest ?? Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex') },
      },
    ],
    predicate: {
      buildDefinition: {
        externalParameters: { workflow: { repository: 'https://github.com/acme/tide' } },
        resolvedDependencies: [{ digest: { gitCommit: 'c0ffee' } }],
      },
    },
  }
  const payload = Buffer.from(JSON.stringify(statement)).toString('base64')
  const bundle = { dsseEnvelope: { payload, signatures: [{ keyid: '', sig: 'AA==' }] } }
  return { attestations: [{ predicateType: 'https://slsa.dev/provenance/v1', bundle }] }
}

/** Nothing of a package is there, whether a worker would see it or not. */
const isEmpty = (): void => {
  expect(namesIn(directory)).toEqual([])
}

describe('adding from a registry', () => {
  test('takes the newest version in the range with what it depends on, and checks the signature', async () => {
    for (const version of ['1.0.0', '1.4.0', '2.0.0']) await publish(version)
    const { entry } = await cli.json('add', `${NAME}@^1.0.0`, '--dir', directory)
    expect(entry).toMatchObject({ version: '1.4.0', signature: 'verified', source: { type: 'registry' } })
    expect(entry.provenance).toEqual({ state: 'none', detail: 'the registry offers none' })
    expect(namesIn(join(directory, entry.root, 'node_modules'))).toEqual([
      '.package-lock.json',
      '@acme',
      '@millrace',
      'tide-tables',
    ])
    const text = await run('add', NAME)
    expect(text.stdout).toContain('added @acme/tide 2.0.0')
    expect(text.stdout).toContain('registry signature: verified')
    expect(text.stdout).toContain('no provenance: the registry offers none')
  })

  test('says what npm says of a package or version that is not there, and leaves nothing', async () => {
    await publish('1.0.0')
    expect((await run('add', '@acme/nobody')).stderr).toContain('the registry has no @acme/nobody (npm: ')
    expect((await run('add', `${NAME}@^7`)).stderr).toMatch(
      /@acme\/tide@\^7 cannot be fetched: npm: .*No matching version/,
    )
    await publish('1.1.0', {}, { dependencies: { 'never-published': '1.0.0' } })
    const { exitCode, stderr } = await run('add', NAME)
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/never-published/)])
    isEmpty()
  })

  test("refuses content whose signature is not the registry's, and one without signature is told", async () => {
    await publish('1.0.0', { signature: 'wrong' })
    const { exitCode, stderr } = await run('add', NAME)
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('somebody may have tampered with it')])
    isEmpty()
    await publish('1.0.1', { signature: 'none' })
    expect((await run('add', NAME)).stdout).toContain('the registry signs packages, but not @acme/tide@1.0.1')
  })

  test('--require-provenance refuses what has none, or one that could not be checked', async () => {
    await publish('1.0.0')
    const none = await run('add', `${NAME}@1.0.0`, '--require-provenance')
    expect(none.stderr).toContain('@acme/tide@1.0.0 has no provenance that was verified: the registry offers none')
    await publish('1.1.0', { attestations: (integrity) => provenance(integrity, '1.1.0') })
    const unproved = await run('add', `${NAME}@1.1.0`, '--require-provenance')
    expect(unproved.stderr).toMatch(
      /has no provenance that was verified: https:\/\/github.com\/acme\/tide at c0ffee, not checked/,
    )
    isEmpty()
    const { entry } = await cli.json('add', `${NAME}@1.1.0`, '--dir', directory)
    expect(entry.provenance.state).toBe('unverified')
    const again = await run('add', `${NAME}@1.1.0`, '--require-provenance')
    expect(again.stderr).toContain('is installed without provenance that was verified; remove it')
  })

  test('an attestation of other content is refused without being asked for', async () => {
    await publish('1.0.0', { attestations: (integrity) => provenance(integrity, '1.0.0', 'ab'.repeat(64)) })
    expect((await run('add', NAME)).stderr).toContain('with other content; do not use it')
    await publish('1.0.1', { attestations: (integrity) => provenance(integrity, '1.0.0') })
    expect((await run('add', NAME)).stderr).toContain('is about pkg:npm/%40acme/tide@1.0.0')
    isEmpty()
  })

  test('a command that is killed leaves nothing that counts, and the next one clears it away', async () => {
    await publish('1.0.0')
    const reached = Promise.withResolvers<void>()
    registry.onTarball = async (name) => {
      if (name !== 'tide-tables') return
      reached.resolve()
      await new Promise(() => {})
    }
    const { child, result } = cli.start(['add', NAME, '--dir', directory])
    await reached.promise
    const busy = await run('add', NAME)
    expect(busy.stderr).toMatch(/process \d+ changes .* at this moment/)
    await endProcess(child, 'SIGKILL', () => '')
    registry.onTarball = () => Promise.resolve()
    expect(namesIn(directory).some((name) => name.startsWith('.staging-'))).toBe(true)
    expect(await cli.json('list', '--dir', directory)).toEqual([])
    await registry.stop()
    await result
    registry = await NpmRegistry.start()
    cli = new PluginCli(folder, registry.url)
    await publish('1.0.0')
    const { entry } = await cli.json('add', NAME, '--dir', directory)
    await until(
      'only what counts is there',
      async () => {
        await run('add', NAME)
        return namesIn(directory)
      },
      (names) => names.join() === [entry.root, 'millrace-plugins.json'].join(),
    )
  })
})

test('a bundle has what the package depends on, and is installed without a registry', async () => {
  await publish('1.0.0')
  const file = join(folder, 'tide.tgz')
  await cli.json('bundle', NAME, '--output', file)
  await registry.stop()
  const offline = new PluginCli(folder)
  const { entry } = await offline.json('add', file, '--dir', directory)
  expect(namesIn(join(directory, entry.root, 'node_modules/tide-tables'))).toEqual(['index.js', 'package.json'])
  expect((await offline.json('list', '--dir', directory))[0].changes).toEqual([])
  registry = await NpmRegistry.start()
})

describe('an audit', () => {
  test('verifies the signatures of all packages, and knows of advisories', async () => {
    await publish('1.0.0')
    await run('add', NAME)
    const clean = await run('audit')
    expect([clean.exitCode, clean.stdout]).toEqual([0, expect.stringContaining('2 packages with a registry signature')])
    registry.advisories['tide-tables'] = [
      { id: 1, url: 'https://example.org/1', title: 'Tables are wrong', severity: 'high', vulnerable_versions: '<3' },
    ]
    const warned = await run('audit')
    expect([warned.exitCode, warned.stdout]).toEqual([
      1,
      expect.stringContaining('! high: tide-tables: Tables are wrong https://example.org/1'),
    ])
  })

  test('finds a dependency that the registry no longer vouches for', async () => {
    await publish('1.0.0')
    await run('add', NAME)
    await registry.publish({ name: 'tide-tables', version: '2.1.0' }, { files: { 'index.js': '1' } })
    const { exitCode, stdout } = await run('audit')
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringContaining('tide-tables@2.1.0: what is installed is not what the registry has'),
    ])
  })

  test('says what it cannot check where there is no registry, by another exit code', async () => {
    await publish('1.0.0')
    await run('add', NAME)
    await registry.stop()
    const silent = await run('audit')
    expect([silent.exitCode, silent.stdout]).toEqual([
      2,
      expect.stringMatching(/files as installed\n(.*\n)*.*not checked: signatures: the registry cannot be reached/),
    ])
    expect((await run('audit', '--offline')).exitCode).toBe(0)
    const [{ entry }] = await cli.json('list', '--dir', directory)
    appendFileSync(join(directory, entry.root, 'node_modules/tide-tables/index.js'), '// more')
    expect((await run('audit')).exitCode).toBe(1)
    registry = await NpmRegistry.start()
  })
})
