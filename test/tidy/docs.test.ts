import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ConfigDef, configValueToString, type PluginDefinition, parseConfig } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { CLIENT, START } from '../../docs/generator/errors.ts'
import { everyMetric, metricLines } from '../../docs/generator/metrics.ts'
import { NO_EFFECT, REMARKS } from '../../docs/generator/no-effect.ts'
import { BROKER_CONFIG_KEYS } from '../../src/broker/config/broker-keys.ts'
import { TOPIC_CONFIG_KEYS } from '../../src/broker/config/topic-config.ts'
import { manifests } from '../../src/catalogue.ts'
import { sinkConnectorConfig } from '../../src/connect/config/sink-config.ts'
import { sourceConnectorConfig } from '../../src/connect/config/source-config.ts'
import { converterManifests, distributedWorkerConfig, standaloneWorkerConfig } from '../../src/connect/index.ts'
import {
  architectureProblems,
  blocksOf,
  deadLinks,
  jsonProblems,
  markdownFiles,
  missingParts,
  propertiesProblems,
  shellProblems,
  untestedInvariants,
} from './doc-checks.ts'
import { root, sourceFiles, textOf } from './files.ts'

const pages = markdownFiles()

/** Its connector is the one that it builds, and its test runs every block. */
const TUTORIAL = 'docs/authors/tutorial.md'

async function blockProblems(page: string): Promise<string[]> {
  const problems: string[] = []
  for (const { language, text } of blocksOf(textOf(page))) {
    if (language === 'json' && page !== TUTORIAL) problems.push(...(await jsonProblems(text)))
    else if (language === 'sh') problems.push(...(await shellProblems(text)))
    else if (language === 'properties') problems.push(...propertiesProblems(text))
  }
  return problems.map((problem) => `${page}: ${problem}`)
}

test('examples in the documentation can be run as they are', async () => {
  expect(pages.length).toBeGreaterThan(15)
  const problems = await Promise.all(pages.map(blockProblems))
  expect(problems.flat()).toEqual([])
})

test.each([
  ['text that is no JSON', '{"a": }'],
  ['a class that does not exist', '{"name": "a", "config": {"connector.class": "NoSuchSource"}}'],
  ['a key that does not exist', '{"connector.class": "FileStreamSource", "topic": "a", "flie": "b"}'],
  ['a required key that is missing', '{"connector.class": "FileStreamSource", "file": "b"}'],
  [
    'a transformation that does not exist',
    '{"connector.class": "FileStreamSource", "topic": "a", "transforms": "t", "transforms.t.type": "NoSuch"}',
  ],
])('the checker of JSON sees %s', async (_, text) => {
  expect(await jsonProblems(text)).toHaveLength(1)
})

test.each([
  ['a command that does not exist', 'millrace no-such-command'],
  ['a part of a command that does not exist', 'millrace plugin paint'],
  ['an option that a part of a command does not have', 'millrace plugin add a --no-such-option'],
  ['an option that does not exist', 'millrace topics --no-such-option'],
  ['an option that must be there', 'millrace dump-log'],
  ['an argument that must be there', 'millrace connect-distributed'],
  ['an argument that is too many', 'millrace topics --list orders'],
  ['a path that does not exist', 'curl -s localhost:8083/no/such/path'],
  ['a method that a path does not have', 'curl -s -X DELETE localhost:8083/health'],
  ['a body that is no JSON', "curl -s -X POST localhost:8083/connectors -d '{a}'"],
])('the checker of shell blocks sees %s', async (_, text) => {
  expect(await shellProblems(text)).toHaveLength(1)
})

test.each([
  ['a key of the broker that does not exist', '# server.properties\nno.such.key=1\n'],
  ['a value that does not parse', '# server.properties\nnum.partitions=many\n'],
  ['a worker without group', '# standalone.properties\nbootstrap.servers=a:1\n'],
  ['a key that nobody has', 'no.such.key=1\n'],
])('the checker of properties sees %s', (_, text) => {
  expect(propertiesProblems(text)).toHaveLength(1)
})

test('links between pages lead somewhere', () => {
  expect(pages.flatMap((page) => deadLinks(page, textOf(page), textOf))).toEqual([])
})

test.each(['[a](no-such-file.md)', '[a](README.md#no-such-heading)', '[a](#no-such-heading)'])(
  'the checker of links sees %s',
  (text) => {
    expect(deadLinks('README.md', text, textOf)).toHaveLength(1)
  },
)

test('every decision record has its five parts and two alternatives', () => {
  const records = readdirSync(join(root, 'docs/adr'))
  expect(records.length).toBeGreaterThan(5)
  expect(records.filter((name) => !/^\d{8}-[a-z0-9-]+\.md$/.test(name))).toEqual([])
  const lacking = records.flatMap((name) => missingParts(textOf(`docs/adr/${name}`)).map((part) => `${name}: ${part}`))
  expect(lacking).toEqual([])
})

test('the checker of decision records sees what is missing', () => {
  const whole = '## Summary\n\n## Context\n\n## Decision\n\n## Alternatives\n\n- a\n- b\n\n## Consequences\n'
  expect(missingParts(whole)).toEqual([])
  expect(missingParts(whole.replace('## Context', ''))).toEqual(['Context'])
  expect(missingParts(whole.replace('- b\n', ''))).toEqual(['two Alternatives'])
})

test('the architecture page names files and tests that exist, and a test for each invariant', () => {
  const page = textOf('ARCHITECTURE.md')
  expect(page.split('\n').length).toBeLessThanOrEqual(400)
  expect(architectureProblems(page, textOf)).toEqual([])
  expect(untestedInvariants(page)).toEqual([])
})

test('the checker of the architecture page sees what does not exist', () => {
  expect(architectureProblems('`src/no-such-file.ts`', textOf)).toHaveLength(1)
  expect(architectureProblems('`test/tidy/docs.test.ts`\n"no such\ntest"', textOf)).toHaveLength(1)
  const two = '## Invariants\n\n1. A. `test/a.test.ts` "b"\n2. C.\n\n## Where to start\n'
  expect(untestedInvariants(two)).toEqual([2])
})

/** Scripts of package.json that a page asks for and that are not there. Pages for authors may mean those of a new package. */
function unknownScripts(markdown: string, page = 'README.md'): string[] {
  const scriptsOf = (file: string) => (JSON.parse(textOf(file)) as { scripts: Record<string, string> }).scripts
  const isForAuthors = /^(docs\/authors|plugins\/create-connector)\//.test(page)
  const ofPackages = isForAuthors ? scriptsOf('plugins/create-connector/templates/common/package.json') : {}
  const scripts = { ...scriptsOf('package.json'), ...ofPackages }
  const called = [...markdown.matchAll(/npm (?:run (?:-s )?([a-z][a-z:]*)|(start|test)\b)/g)]
  return called.map(([, script, short]) => script ?? short ?? '').filter((name) => !(name in scripts))
}

test('scripts that the documentation calls exist', () => {
  expect(pages.flatMap((page) => unknownScripts(textOf(page), page))).toEqual([])
  expect(unknownScripts('`npm run no:such`, then `npm start`')).toEqual(['no:such'])
})

test('every dependency has its reason, and no reason is left of one that is gone', () => {
  const manifest = JSON.parse(textOf('package.json')) as Record<string, Record<string, string>>
  const names = ['dependencies', 'optionalDependencies', 'devDependencies'].flatMap((kind) =>
    Object.keys(manifest[kind] ?? {}),
  )
  const text = textOf('docs/dependencies.md')
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name) => name !== '@millrace/sdk' && !text.includes(name))).toEqual([])
  const listed = [...text.matchAll(/^\| (@?[a-z][\w/-]*)/gm)].map(([, name = '']) => name)
  expect(listed.filter((name) => name !== 'package' && !names.includes(name))).toEqual([])
})

/** Keys without a text, and defaults that their own definition refuses. */
function keyProblems(owner: string, config: ConfigDef): string[] {
  return Object.entries(config).flatMap(([name, key]) => {
    const problems = key.doc.trim().length < 5 ? [`${owner}: ${name} has no doc`] : []
    if (key.default === undefined || key.default === null) return problems
    const text = configValueToString(key, key.default) ?? ''
    const { issues } = parseConfig({ [name]: key } as ConfigDef, key.type === 'password' ? {} : { [name]: text })
    return [...problems, ...issues.map((issue) => `${owner}: ${issue.message}`)]
  })
}

test('every configuration key has a text, and a default that is legal', async () => {
  const problems = [
    ...keyProblems('worker', { ...standaloneWorkerConfig, ...distributedWorkerConfig }),
    ...keyProblems('source', sourceConnectorConfig),
    ...keyProblems('sink', sinkConnectorConfig),
    ...[...BROKER_CONFIG_KEYS, ...TOPIC_CONFIG_KEYS].filter(({ doc }) => doc.length < 5).map(({ name }) => name),
  ]
  for (const manifest of [...manifests, ...converterManifests]) {
    const { config } = ((await manifest.load()) as { default: PluginDefinition }).default
    problems.push(...keyProblems(manifest.name, config))
  }
  expect(problems).toEqual([])
})

test('the checker of keys sees a missing text and an illegal default', () => {
  const key = { type: 'int', default: 0, min: 1, importance: 'low', doc: '' } as const
  expect(keyProblems('test', { a: key })).toHaveLength(2)
})

/** Own codes of the client, and codes of error classes, as they stand in the code. */
function codesIn(files: readonly string[], pattern: RegExp): Set<string> {
  return new Set(files.flatMap((file) => [...textOf(file).matchAll(pattern)].map(([, code = '']) => code)))
}

test('the documented error codes are those of the code', () => {
  const client = sourceFiles('src/client').filter((file) => !file.endsWith('/errors.ts'))
  const thrown = codesIn([...client, 'src/client/errors.ts'], /KafkaError\(\s*'(CLIENT_[A-Z_]+)'/g)
  expect([...thrown].toSorted()).toEqual(Object.keys(CLIENT).toSorted())
  const classes = codesIn(sourceFiles('src'), /readonly code = '([A-Z_]+)'/g)
  expect([...classes].toSorted()).toEqual(Object.keys(START).toSorted())
})

test('the checker of codes sees a code in the code', () => {
  expect(codesIn(['src/client/errors.ts'], /KafkaError\(\s*'(CLIENT_[A-Z_]+)'/g)).toEqual(new Set(['CLIENT_CLOSED']))
})

test('a metric without a meaning is noticed', () => {
  const stranger = { group: 'a', name: 'b', labels: {}, value: 0 }
  expect(() => metricLines([stranger])).toThrow('no meaning of the metric a/b')
  expect(() => metricLines(everyMetric().slice(1))).toThrow('there is no metric')
})

const DEFINITIONS =
  /\/(config\/(broker-keys|topic-config|worker-config|common-config|source-config|sink-config)|mirror\/known-keys)\.ts$/

function usesOf(key: string): string[] {
  return sourceFiles('src').filter((file) => !DEFINITIONS.test(file) && textOf(file).includes(`'${key}'`))
}

test('keys that the reference calls without effect exist and are used nowhere', () => {
  const known = new Set([
    ...Object.keys({ ...distributedWorkerConfig, ...sourceConnectorConfig, ...sinkConnectorConfig }),
    ...[...BROKER_CONFIG_KEYS, ...TOPIC_CONFIG_KEYS].map(({ name }) => name),
  ])
  expect([...NO_EFFECT].filter((key) => !known.has(key))).toEqual([])
  const rows = pages.filter((page) => page.startsWith('docs/reference/')).flatMap((page) => textOf(page).split('\n'))
  const remarked = Object.entries(REMARKS).filter(([key, text]) => {
    return rows.some((row) => row.startsWith(`| \`${key}\` `) && row.includes(text))
  })
  expect(remarked).toHaveLength(Object.keys(REMARKS).length)
  expect([...NO_EFFECT].flatMap(usesOf)).toEqual([])
  expect(usesOf('segment.bytes')).not.toEqual([])
})
