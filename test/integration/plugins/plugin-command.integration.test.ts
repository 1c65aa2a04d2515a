// `millrace plugin` with the real npm: folders, tarballs and bundles, without any registry.
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { examples } from '../worker-harness.ts'
import { namesIn, PluginCli, sourceModule, sourcePackage, writePackage } from './plugin-cli.ts'

let folder: string
let directory: string
let cli: PluginCli

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-plugin-'))
  directory = join(folder, 'plugins')
  cli = new PluginCli(folder)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const add = (spec: string, ...more: string[]) => cli.run('add', spec, '--dir', directory, ...more)
const list = () => cli.json('list', '--dir', directory)
const steady = join(examples, 'steady')

/** Writes a version of a package with one source into a folder of its own. */
function versionOf(version: string, extraKey = 'extra', className = 'WaveSource'): string {
  const files = { 'source.js': sourceModule(className, version, extraKey) }
  return writePackage(
    join(folder, `wave-${version}-${extraKey}`),
    sourcePackage('@acme/wave', version, className),
    files,
  )
}

/** A directory after a command that failed has nothing but, perhaps, itself. */
const isUntouched = () => expect(namesIn(directory)).toEqual([])

describe('adding', () => {
  test('a folder puts the package into a root of its own, with the SDK left to the worker', async () => {
    const { exitCode, stdout } = await add(steady)
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('added @millrace-examples/steady 1.2.0')])
    expect(stdout).toContain('source SteadySource')
    expect(stdout).toContain('no provenance: it comes from a folder')
    const [listed] = await list()
    expect(listed).toMatchObject({ name: '@millrace-examples/steady', version: '1.2.0', changes: [], problems: [] })
    const root = join(directory, listed.entry.root)
    expect(existsSync(join(root, 'node_modules/@millrace-examples/steady/source.js'))).toBe(true)
    expect(namesIn(join(root, 'node_modules/@millrace/sdk'))).toEqual(['package.json'])
    expect(namesIn(directory)).toEqual([listed.entry.root, 'millrace-plugins.json'])
  })

  test('a tarball records the sha512 of it, as npm has it', async () => {
    const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: steady,
      encoding: 'utf8',
    })
    const [{ filename, integrity }] = JSON.parse(packed)
    const report = await cli.json('add', join(folder, filename), '--dir', directory)
    expect(report.entry).toMatchObject({ integrity, source: { type: 'tarball' }, provenance: { state: 'local' } })
  })

  test('the same content twice changes nothing; other content needs a version of its own or --force', async () => {
    await add(versionOf('1.0.0'))
    const lock = readFileSync(join(directory, 'millrace-plugins.json'), 'utf8')
    const again = await add(versionOf('1.0.0'))
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining('is installed already')])
    const other = await add(versionOf('1.0.0', 'changed'))
    expect(other.exitCode).toBe(1)
    expect(other.stderr).toMatch(/@acme\/wave@1\.0\.0 is installed with other content .* version of its own.*--force/)
    expect(readFileSync(join(directory, 'millrace-plugins.json'), 'utf8')).toBe(lock)
    expect((await add(versionOf('1.0.0', 'changed'), '--force')).exitCode).toBe(0)
    const [replaced, ...rest] = await list()
    expect([replaced.version, rest]).toEqual(['1.0.0', []])
    expect(namesIn(directory)).toEqual([replaced.entry.root, 'millrace-plugins.json'])
  })

  test('a conformance report of the package is told, unless it is of another version', async () => {
    const plugins = [
      {
        kind: 'source',
        name: 'WaveSource',
        guarantee: { claimed: 'at-least-once', proved: 'at-least-once' },
        passed: 9,
        failed: 0,
      },
    ]
    for (const version of ['1.0.0', '2.0.0']) {
      const report = { conformance: 1, package: { name: '@acme/wave', version: '1.0.0' }, plugins }
      writeFileSync(join(versionOf(version), 'conformance.json'), JSON.stringify(report))
      await add(versionOf(version))
    }
    const { stdout } = await cli.run('list', '--dir', directory)
    expect(stdout).toContain('source WaveSource, at-least-once proved by 9 conformance checks')
    expect(stdout).toContain('source WaveSource, without a conformance report')
  })

  test('versions live side by side', async () => {
    await add(versionOf('1.0.0'))
    await add(versionOf('2.0.0'))
    expect((await list()).map((one: { version: string }) => one.version)).toEqual(['1.0.0', '2.0.0'])
  })

  const bad = join(examples, 'misbehaving/packages')
  test.each([
    [
      'wrong-sdk-range',
      /@millrace-examples\/wrong-sdk-range@0\.0\.1 cannot be added:\n.*it needs @millrace\/sdk \^99\.0\.0, and this Millrace has 0\.1\.0; take a version/,
    ],
    ['missing-files', /there is no dist\/source\.js in the package; build it first/],
    [
      'duplicate-names',
      /FileStreamSource of @millrace-examples\/duplicate-names@0\.0\.1 cannot be used because a class of this name is built in/,
    ],
  ])('refuses the package %s and leaves the directory as it was', async (name, message) => {
    const { exitCode, stderr } = await add(join(bad, name))
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(message)])
    isUntouched()
  })

  test('refuses what is no plugin, no package, or not there', async () => {
    const plain = writePackage(join(folder, 'plain'), { name: 'plain', version: '1.0.0' })
    expect((await add(plain)).stderr).toContain('plain is no plugin of Millrace')
    expect((await add(join(folder, 'nowhere'))).stderr).toContain('there is no ')
    const noTar = join(folder, 'text.tgz')
    appendFileSync(noTar, 'text')
    expect((await add(noTar)).stderr).toContain('is no gzipped archive')
    expect((await add('some-package@^1')).stderr).toMatch(/cannot be fetched: npm: .*; without a network add a bundle/s)
    expect((await cli.run('add', plain)).stderr).toContain('--dir')
    isUntouched()
  })

  test('a class that another package has is refused, and added with --force for its other classes', async () => {
    await add(steady)
    const thief = writePackage(
      join(folder, 'thief'),
      {
        ...sourcePackage('thief', '1.0.0', 'SteadySource'),
        millrace: {
          plugins: ['SteadySource', 'OwnSource'].map((name) => ({ kind: 'source', name, module: 'source.js' })),
        },
      },
      { 'source.js': sourceModule('OwnSource', '1.0.0', 'extra') },
    )
    const refused = await add(thief)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('belongs to the package @millrace-examples/steady')
    const forced = await add(thief, '--force')
    expect([forced.exitCode, forced.stdout]).toEqual([0, expect.stringContaining('note: SteadySource of thief@1.0.0')])
  })

  test('the directory may be that of a worker', async () => {
    const worker = join(folder, 'worker.properties')
    appendFileSync(worker, `plugin.path=${directory},/elsewhere\n`)
    expect((await cli.run('add', steady, '--worker-config', worker)).exitCode).toBe(0)
    expect(await list()).toHaveLength(1)
  })
})

describe('a bundle', () => {
  test('of an installed package installs where npm reaches nothing, and says if it is damaged', async () => {
    await add(steady)
    const file = join(folder, 'steady.tgz')
    const bundle = await cli.json('bundle', '@millrace-examples/steady', '--dir', directory, '--output', file)
    expect(bundle).toMatchObject({ name: '@millrace-examples/steady', version: '1.2.0', platform: null })
    const elsewhere = join(folder, 'elsewhere')
    const { entry } = await cli.json('add', file, '--dir', elsewhere)
    expect(entry).toMatchObject({ source: { type: 'bundle' }, version: '1.2.0' })
    expect((await cli.json('list', '--dir', elsewhere))[0]).toMatchObject({ changes: [] })
    const withProof = await cli.run('add', file, '--dir', join(folder, 'third'), '--require-provenance')
    expect(withProof.stderr).toContain('the provenance of a bundle cannot be checked')
  })

  test('of a folder needs no directory', async () => {
    const file = join(folder, 'wave.tgz')
    await cli.json('bundle', versionOf('3.0.0'), '--output', file)
    await cli.json('add', file, '--dir', directory)
    expect((await list())[0]).toMatchObject({ name: '@acme/wave', version: '3.0.0' })
  })
})

describe('auditing and removing', () => {
  test.each([['list'], ['audit'], ['remove', 'x']])(
    '%s says that there is no such directory, and makes none',
    async (...args) => {
      const { exitCode, stderr } = await cli.run(...args, '--dir', directory)
      expect([exitCode, stderr]).toEqual([1, `there is no plugin directory ${directory}\n`])
      expect(existsSync(directory)).toBe(false)
    },
  )

  test('files that were changed are found, and a bundle is not made of them', async () => {
    await add(steady)
    const clean = await cli.run('audit', '--dir', directory, '--offline')
    expect([clean.exitCode, clean.stdout]).toEqual([0, expect.stringContaining('files as installed')])
    const [{ entry }] = await list()
    appendFileSync(join(directory, entry.root, 'node_modules/@millrace-examples/steady/sink.js'), '\n')
    const changed = await cli.run('audit', '--dir', directory, '--offline')
    expect([changed.exitCode, changed.stdout]).toEqual([1, expect.stringContaining('steady/sink.js was changed')])
    expect((await cli.run('list', '--dir', directory)).stdout).toContain('CHANGED: 1 files')
    const again = await add(steady)
    expect(again.stderr).toMatch(/is installed, but .*sink\.js was changed; remove it .* and add it again/)
    const bundle = await cli.run('bundle', '@millrace-examples/steady', '--dir', directory)
    expect(bundle.stderr).toContain('is not as it was installed')
  })

  test('names the version to remove where there are several, and leaves nothing of it', async () => {
    await add(versionOf('1.0.0'))
    await add(versionOf('2.0.0'))
    const unclear = await cli.run('remove', '@acme/wave', '--dir', directory)
    expect(unclear.stderr).toContain('name one of @acme/wave@1.0.0, @acme/wave@2.0.0')
    expect((await cli.run('remove', 'other', '--dir', directory)).stderr).toContain('other is not installed')
    const removed = await cli.run('remove', '@acme/wave@1.0.0', '--dir', directory)
    expect([removed.exitCode, removed.stdout]).toEqual([0, expect.stringContaining('no worker was asked')])
    const [left, ...more] = await list()
    expect([left.version, more]).toEqual(['2.0.0', []])
    expect(namesIn(directory)).toEqual([left.entry.root, 'millrace-plugins.json'])
  })
})
