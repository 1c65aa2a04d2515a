/**
 * `node --conditions=source test/compat/mongodb/run.ts [sink|source|config ...] [--seed N] [--cases N] [--show N]
 * [--original 2.0.1]`: the connectors
 * beside the original, with as many generated cases as one has time for. Prints the seed, each difference, and how often each
 * explanation was needed.
 */
import { parseArgs } from 'node:util'
import { MONGO_CONNECTORS } from '../../services/kafka-mongodb.ts'
import { compareConfigs } from './compare-configs.ts'
import { compareSinks, describe as describeSink } from './compare-sinks.ts'
import { compareSources, describe as describeSource } from './compare-sources.ts'
import { Side } from './harness.ts'
import { sinkCases } from './sink-cases.ts'
import { javaSinks, ourSinks } from './sinks.ts'
import { sourceCases } from './source-cases.ts'
import { javaSources, ourSources, prepareSources } from './sources.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    cases: { type: 'string', default: '500' },
    show: { type: 'string', default: '10' },
    original: { type: 'string', default: '1.13.0' },
  },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const count = Number(values.cases)
const version = MONGO_CONNECTORS.find((one) => one === values.original)
if (version === undefined) throw new Error(`--original is one of ${MONGO_CONNECTORS.join(', ')}`)

interface Found {
  readonly compared: number
  readonly explained: ReadonlyMap<string, number>
  readonly differences: readonly string[]
}

async function runSinks(sides: readonly [Side, Side]): Promise<Found> {
  const cases = sinkCases(seed, count, version !== '1.13.0')
  const [java, ours] = await Promise.all([javaSinks(sides[0], cases, version), ourSinks(sides[1], cases)])
  const { differences, ...found } = compareSinks(cases, java, ours)
  return { ...found, differences: differences.map(describeSink) }
}

async function runSources([{ server, client }]: readonly [Side, Side]): Promise<Found> {
  const cases = sourceCases(seed, count)
  const token = await prepareSources(client, cases)
  const [java, ours] = await Promise.all([javaSources(server, cases, token, version), ourSources(server, cases, token)])
  const { differences, ...found } = compareSources(cases, java, ours)
  return { ...found, differences: differences.map(describeSource) }
}

const RUNS = {
  sink: runSinks,
  source: runSources,
  config: ([{ server }]: readonly [Side, Side]) => compareConfigs(server, version),
}

const names = Object.keys(RUNS) as (keyof typeof RUNS)[]
const unknown = positionals.find((name) => !(name in RUNS))
if (unknown !== undefined) throw new Error(`${unknown} is not one of ${names.join(', ')}`)
let differing = 0
for (const name of names.filter((one) => positionals.length === 0 || positionals.includes(one))) {
  const sides = await Promise.all([Side.start(), Side.start()])
  try {
    const { compared, explained, differences } = await RUNS[name](sides)
    for (const difference of differences.slice(0, Number(values.show))) console.log(difference)
    for (const [why, times] of explained) console.log(`${times} times: ${why}`)
    console.log(`${name}: ${compared} compared, ${differences.length} differ (seed ${seed}, ${count} cases)`)
    differing += differences.length
  } finally {
    for (const side of sides) await side.stop()
  }
}
process.exitCode = differing > 0 ? 1 : 0
