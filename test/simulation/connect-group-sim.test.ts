import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { connectGroupSimulation, connectGroupSimulationWith } from './connect-group-sim.ts'

const SEEDS = 100
const past = JSON.parse(readFileSync(new URL('seeds.json', import.meta.url), 'utf8')) as { 'connect-group': number[] }

test('workers share their tasks over a failing network, for every seed that ever broke it', async () => {
  const results = await Promise.all(past['connect-group'].map((seed) => connectGroupSimulation.run(seed)))
  expect(results.map((result) => result.failure)).toEqual(past['connect-group'].map(() => undefined))
})

test(`workers share their tasks over a failing network, for ${SEEDS} seeds`, async () => {
  const failed: string[] = []
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await connectGroupSimulation.run(seed)
    if (!result.ok) failed.push(`seed ${seed}: ${result.failure}\n${result.trace?.join('\n')}`)
  }
  expect(failed).toEqual([])
})

test('the same seed gives the same run', async () => {
  expect(await connectGroupSimulation.run(7)).toEqual(await connectGroupSimulation.run(7))
})

test('a worker that says a task has stopped before it has is found out', async () => {
  const results = []
  for (let seed = 1; seed <= 20; seed++) results.push(await connectGroupSimulationWith(seed, true))
  expect(results.filter((result) => !result.ok).length).toBeGreaterThan(0)
})
