import { expect, test } from 'vitest'
import { Deadlines } from '../../../src/broker/deadlines.ts'
import { SimClock } from '../../simulation/sim-clock.ts'

test('deadlines are reached in their order, however they were added, and cancelled ones never', async () => {
  const clock = new SimClock()
  const deadlines = new Deadlines(clock)
  const reached: number[] = []
  const added = [50, 10, 40, 20, 30, 10].map((ms) => deadlines.add(ms, () => reached.push(ms)))
  deadlines.cancel(added[2]!)
  await clock.advance(25)
  expect(reached).toEqual([10, 10, 20])
  deadlines.add(1, () => reached.push(26))
  await clock.advance(100)
  expect(reached).toEqual([10, 10, 20, 26, 30, 50])
})

test('many that are cancelled early do not pile up', () => {
  const deadlines = new Deadlines(new SimClock())
  for (let i = 0; i < 10_000; i++) deadlines.cancel(deadlines.add(300_000, () => {}))
  expect(deadlines.size).toBeLessThan(200)
})

test('a stop lets all of them happen at once', () => {
  const deadlines = new Deadlines(new SimClock())
  const reached: string[] = []
  deadlines.add(1000, () => reached.push('a'))
  deadlines.cancel(deadlines.add(1000, () => reached.push('b')))
  deadlines.fireAll()
  expect(reached).toEqual(['a'])
})
