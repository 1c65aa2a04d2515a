/**
 * `node --conditions=source test/compat/transforms/run.ts [name ...] [--seed N] [--cases N] [--show N]`: every
 * transformation and predicate beside the real classes, with as many generated cases as one has time for. Prints the seed
 * and each difference; a name is that of a class without its package and side.
 */
import { parseArgs } from 'node:util'
import { casesOf, compare, describe, javaOutcomes, PLUGINS } from './compare.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    cases: { type: 'string', default: '500' },
    show: { type: 'string', default: '3' },
  },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const chosen = PLUGINS.filter((name) => positionals.length === 0 || positionals.some((one) => name.endsWith(one)))
if (chosen.length === 0) throw new Error(`no plugin of these names; there are: ${PLUGINS.join(', ')}`)
let found = 0
for (const name of chosen) {
  const cases = casesOf(name, seed, Number(values.cases))
  const { compared, known, differences } = await compare(cases, await javaOutcomes(cases))
  found += differences.length
  console.log(`${name}: ${compared} compared, ${known} differ on purpose, ${differences.length} differ (seed ${seed})`)
  for (const difference of differences.slice(0, Number(values.show))) console.log(describe(difference))
}
console.log(`${found} differences`)
process.exitCode = found > 0 ? 1 : 0
