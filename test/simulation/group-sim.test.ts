import { expect, test } from 'vitest'
import { step } from '../../src/broker/groups/classic/step.ts'
import { groupSimulation, groupSimulationWith } from './group-sim.ts'

const SEEDS = 500

async function failures(from: number, count: number, coordinate = step): Promise<string[]> {
  const failed: string[] = []
  for (let seed = from; seed < from + count; seed++) {
    const result = await groupSimulationWith(seed, coordinate)
    if (!result.ok) failed.push(`seed ${seed}: ${result.failure}\n${result.trace?.join('\n')}`)
  }
  return failed
}

test(`groups keep their promises over a failing network, for ${SEEDS} seeds`, async () => {
  expect(await failures(0, SEEDS)).toEqual([])
}, 600_000)

test('the same seed gives the same run', async () => {
  expect(await groupSimulation.run(7)).toEqual(await groupSimulation.run(7))
})

test('a coordinator that gives members the assignment of the leader is found out', async () => {
  const broken: typeof step = (state, event, config) =>
    step(state, event.type === 'sync' ? { ...event, memberId: state.leaderId ?? event.memberId } : event, config)
  expect((await failures(0, 10, broken)).length).toBeGreaterThan(0)
})

test('a coordinator that ends sessions early is found out', async () => {
  const broken: typeof step = (state, event, config) =>
    step(state, event.type === 'tick' ? { ...event, now: event.now + 20_000 } : event, config)
  expect((await failures(0, 30, broken)).length).toBeGreaterThan(0)
})
