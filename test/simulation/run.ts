/**
 * `npm run test:sim -- [--seeds N] [--seed S] [--only log|group|connect-group]`: deterministic simulations. Without a seed it runs the
 * ones that once failed and then N new ones from a random start, which is printed; the same seed gives the same run.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Simulation } from './simulation.ts'
import { SIMULATIONS } from './simulations.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
})

function pastFailures(name: string): number[] {
  const all = JSON.parse(readFileSync(new URL('seeds.json', import.meta.url), 'utf8')) as Record<string, number[]>
  return all[name] ?? []
}

function seedsOf(simulation: Simulation): number[] {
  if (values.seed !== undefined) return [Number(values.seed)]
  const start = Math.floor(Math.random() * 2 ** 31)
  console.log(`${simulation.name}: ${values.seeds} seeds from ${start}`)
  return [...pastFailures(simulation.name), ...Array.from({ length: Number(values.seeds) }, (_, i) => start + i)]
}

async function runAll(simulation: Simulation): Promise<boolean> {
  const seeds = seedsOf(simulation)
  const totals: Record<string, number> = {}
  const failed: number[] = []
  const started = performance.now()
  for (const seed of seeds) {
    if (seeds.length === 1) console.log(`${simulation.name}: seed ${seed}`)
    const result = await simulation.run(seed)
    for (const [name, count] of Object.entries(result.stats)) totals[name] = (totals[name] ?? 0) + count
    if (seeds.length === 1) console.log(JSON.stringify(result.options))
    if (result.ok) continue
    failed.push(seed)
    console.log(`\n${simulation.name}: seed ${seed} FAILED\n${JSON.stringify(result.options)}`)
    for (const line of result.trace ?? []) console.log(`  ${line}`)
    console.log(`  ${result.failure}\n  again: npm run test:sim -- --only ${simulation.name} --seed ${seed}`)
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    `${simulation.name}: ${seeds.length} seeds in ${seconds} s, ${failed.length} failed ${JSON.stringify(totals)}`,
  )
  return failed.length === 0
}

const chosen = SIMULATIONS.filter((simulation) => values.only === undefined || simulation.name === values.only)
if (chosen.length === 0) {
  throw new Error(`no simulation ${values.only}; there are: ${SIMULATIONS.map(({ name }) => name).join(', ')}`)
}
const outcomes: boolean[] = []
for (const simulation of chosen) outcomes.push(await runAll(simulation))
console.log(outcomes.every(Boolean) ? 'all simulations held' : 'a simulation FAILED')
process.exit(outcomes.every(Boolean) ? 0 : 1)
