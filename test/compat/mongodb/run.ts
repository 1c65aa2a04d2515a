/**
 * `node --conditions=source test/compat/mongodb/run.ts [--seed N] [--cases N] [--show N]`: the sink beside the original, with
 * as many generated cases as one has time for. Prints the seed, each difference, and how often each explanation was needed.
 */
import { parseArgs } from 'node:util'
import { compareSinks, describe } from './compare-sinks.ts'
import { javaSinks, ourSinks, Side } from './harness.ts'
import { sinkCases } from './sink-cases.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    cases: { type: 'string', default: '500' },
    show: { type: 'string', default: '10' },
  },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const cases = sinkCases(seed, Number(values.cases))
const sides = await Promise.all([Side.start(), Side.start()])
try {
  const [java, ours] = await Promise.all([javaSinks(sides[0], cases), ourSinks(sides[1], cases)])
  const { compared, explained, differences } = compareSinks(cases, java, ours)
  for (const difference of differences.slice(0, Number(values.show))) console.log(describe(difference))
  for (const [why, count] of explained) console.log(`${count} times: ${why}`)
  console.log(`${cases.length} cases, ${compared} compared, ${differences.length} differ (seed ${seed})`)
  process.exitCode = differences.length > 0 ? 1 : 0
} finally {
  for (const side of sides) await side.stop()
}
