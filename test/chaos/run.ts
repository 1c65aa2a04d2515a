/** `npm run test:chaos -- [scenario ...] [--rounds 30] [--seed N]`: kill -9 of real processes under load, many rounds. */
import { parseArgs } from 'node:util'
import { brokerKillChaos } from './broker-kill.ts'
import { logKillChaos } from './log-kill.ts'
import { pipelineChaos } from './pipeline.ts'

const SCENARIOS: Readonly<Record<string, (options: ChaosOptions) => Promise<object>>> = {
  log: logKillChaos,
  broker: brokerKillChaos,
  pipeline: pipelineChaos,
}

interface ChaosOptions {
  readonly rounds: number
  readonly seed: number
  readonly log: (line: string) => void
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '30' }, seed: { type: 'string' } },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const names = positionals.length > 0 ? positionals : Object.keys(SCENARIOS)
let failed = 0
for (const name of names) {
  const scenario = SCENARIOS[name]
  if (!scenario) throw new Error(`no scenario ${name}; there are: ${Object.keys(SCENARIOS).join(', ')}`)
  console.log(`${name}: ${values.rounds} rounds, seed ${seed}`)
  try {
    const summary = await scenario({ rounds: Number(values.rounds), seed, log: (line) => console.log(`  ${line}`) })
    console.log(`  held: ${JSON.stringify(summary)}`)
  } catch (error) {
    failed++
    console.log(`  BROKEN with seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`)
  }
}
console.log(`${names.length - failed} scenarios held, ${failed} broken`)
process.exit(failed > 0 ? 1 : 0)
