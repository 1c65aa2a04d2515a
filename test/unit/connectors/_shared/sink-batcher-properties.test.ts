import fc from 'fast-check'
import { expect, test } from 'vitest'
import { World, type WorldOptions } from './sink-world.ts'
import '../../property-settings.ts'

const endless = { maxRetries: Number.POSITIVE_INFINITY, backoffMs: 5, maxBackoffMs: 100 }

const worlds: fc.Arbitrary<WorldOptions> = fc.record({
  seed: fc.integer({ min: 1, max: 0x7fffffff }),
  records: fc.integer({ min: 1, max: 300 }),
  partitions: fc.integer({ min: 1, max: 4 }),
  keys: fc.integer({ min: 1, max: 30 }),
  limits: fc.record({
    batchRecords: fc.integer({ min: 1, max: 50 }),
    batchBytes: fc.integer({ min: 1, max: 600 }),
    lingerMs: fc.integer({ min: 0, max: 50 }),
    maxInFlight: fc.integer({ min: 1, max: 6 }),
    bufferRecords: fc.integer({ min: 1, max: 120 }),
    bufferBytes: fc.integer({ min: 1, max: 2000 }),
    retry: fc.constant(endless),
  }),
  requestFails: fc.constantFrom(0, 0, 0.1, 0.5),
  itemFails: fc.constantFrom(0, 0, 0.05, 0.3),
  poison: fc.constantFrom(0, 0, 0.02, 0.3),
  blamesAll: fc.boolean(),
  stopsAtError: fc.boolean(),
  keyless: fc.boolean(),
})

async function checkWorld(options: WorldOptions): Promise<void> {
  const world = new World(options)
  await world.deliver((committed) => {
    // Nothing is acknowledged before it, and all before it in its partition, is delivered or reported.
    for (const { partition, offset } of committed) {
      const before = world.log.filter((r) => r.originalPartition === partition && r.originalOffset < offset)
      const early = before.filter((record) => !world.isSettled(record))
      expect(early.map((record) => record.originalOffset)).toEqual([])
    }
  })
  const { limits } = options
  expect(world.inFlightMax).toBeLessThanOrEqual(limits.maxInFlight!)
  expect(world.batchMax).toBeLessThanOrEqual(limits.batchRecords!)
  expect(world.heldMax).toBeLessThanOrEqual(limits.bufferRecords!)
  // With endless patience everything arrives; the drain of the last commit may have been too short for it.
  const last = world.log.map(
    ({ originalPartition, originalOffset }) => [originalPartition, originalOffset + 1] as const,
  )
  const ends = [...new Map(last)].map(([partition, offset]) => ({ topic: 't', partition, offset }))
  for (let tries = 0; world.batcher.pendingRecords > 0 && tries < 100; tries++) {
    await world.clock.run(world.batcher.preCommit(ends))
  }
  expect(world.log.filter((record) => !world.isSettled(record))).toEqual([])
  expect(await world.clock.run(world.batcher.preCommit(ends))).toEqual(ends)
  // Only what the target or the conversion refuses is reported.
  for (const record of world.log) {
    const id = `${record.originalPartition}-${record.originalOffset}`
    if (world.reported.has(id)) expect(world.poisoned.has(id) || record.originalOffset % 19 === 13).toBe(true)
  }
  if (options.keyless && limits.maxInFlight !== 1) return
  // A write that is repeated may step back, but only to come forward again: the last write of a key is its newest record.
  if (options.keyless && options.itemFails > 0) return
  for (const history of world.history.values()) {
    const newest = Math.max(...history.map(({ originalOffset }) => originalOffset))
    expect(history.at(-1)!.originalOffset).toBe(newest)
    if (options.requestFails === 0 && options.itemFails === 0) {
      const offsets = history.map(({ originalOffset }) => originalOffset)
      expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b))
    }
  }
  await world.clock.run(world.batcher.stop())
}

test('no loss, order per key, no acknowledgement before delivery, bounded memory, over any faulty target', async () => {
  await fc.assert(fc.asyncProperty(worlds, checkWorld), { numRuns: 150 })
})

test('the same over a long log with every fault at once', async () => {
  await checkWorld({
    seed: 4,
    records: 3000,
    partitions: 3,
    keys: 40,
    limits: {
      batchRecords: 25,
      batchBytes: 300,
      lingerMs: 2,
      maxInFlight: 5,
      bufferRecords: 200,
      bufferBytes: 5000,
      retry: endless,
    },
    requestFails: 0.2,
    itemFails: 0.05,
    poison: 0.02,
    blamesAll: false,
    stopsAtError: false,
    keyless: false,
  })
})
