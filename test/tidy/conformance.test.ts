import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { builtinManifests } from '../../connectors/index.ts'
import { CONNECTOR_FOLDERS } from '../../docs/generator/connector-folders.ts'
import type { ConformanceRun } from './conformance-runs.ts'

/** Built-in connectors that the acceptance suite does not run over, with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {}

/** From the weakest promise to the strongest. */
const PROMISES = ['at-most-once', 'at-least-once', 'idempotent', 'exactly-once']

const folder = fileURLToPath(new URL('../integration', import.meta.url))
const files = readdirSync(folder).filter((name) => /^conformance-.*\.test\.ts$/.test(name))
const lister = fileURLToPath(new URL('./conformance-runs.ts', import.meta.url))
// What the machine lacks must not keep a run out of the list.
const env = { ...process.env, MILLRACE_REQUIRE_SERVICES: '0' }
const paths = files.map((name) => join(folder, name))
const output = execFileSync(process.execPath, [lister, ...paths], {
  env,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'pipe'],
})
const runs = JSON.parse(output.trim().split('\n').at(-1) ?? '') as readonly ConformanceRun[]
const runsOf = ({ kind, name }: { readonly kind: string; readonly name: string }) =>
  runs.filter((run) => run.kind === kind && run.name === name)

test('the acceptance suite runs over every built-in connector', () => {
  expect(runs.length).toBeGreaterThan(30)
  const without = builtinManifests.filter((manifest) => runsOf(manifest).length === 0).map(({ name }) => name)
  expect(without).toEqual(Object.keys(EXCEPTIONS))
})

test('the catalogue names the tests of each connector', () => {
  for (const { folder: name, classes, conformance } of CONNECTOR_FOLDERS) {
    const found = new Set(runs.filter((run) => classes.includes(run.name)).map((run) => basename(run.file)))
    expect(conformance.map((path) => basename(path)).toSorted(), name).toEqual([...found].toSorted())
  }
})

test('one run of each connector proves what its manifest, and so the catalogue, promises', () => {
  const unproved = builtinManifests.filter((manifest) => {
    const { delivery = 'at-least-once' } = manifest
    const proves = ({ guarantee = delivery, notApplicable }: ConformanceRun) =>
      PROMISES.indexOf(guarantee) >= PROMISES.indexOf(delivery) && !notApplicable.includes('kill')
    return runsOf(manifest).length > 0 && !runsOf(manifest).some(proves)
  })
  expect(unproved.map(({ name, delivery }) => `${name} promises ${delivery}`)).toEqual([])
})
