import { expect, test } from 'vitest'
import { BatchPool } from '../../../src/client/producer/batch-pool.ts'

test('what was given back is taken again, the largest first, also when only a view of its beginning is given', () => {
  const pool = new BatchPool(10_000)
  const small = pool.take(1000)
  const large = pool.take(3000)
  expect([small.length, large.length]).toEqual([1000, 3000])
  pool.give(large.subarray(0, 10))
  pool.give(small)
  const first = pool.take(500)
  expect(first.length).toBe(3000)
  expect(first.buffer).toBe(large.buffer)
  expect(pool.take(500).buffer).toBe(small.buffer)
  expect(pool.take(500).length).toBe(500)
})

test('memory that is too small stays for others', () => {
  const pool = new BatchPool(10_000)
  const small = pool.take(1000)
  pool.give(small)
  expect(pool.take(1001).buffer).not.toBe(small.buffer)
  expect(pool.take(1000).buffer).toBe(small.buffer)
})

test('no more is kept than allowed', () => {
  const pool = new BatchPool(2500)
  const all = [pool.take(1000), pool.take(1000), pool.take(1000)]
  for (const memory of all) pool.give(memory)
  const again = [pool.take(1000), pool.take(1000), pool.take(1000)]
  expect(again.filter((memory) => all.some((old) => old.buffer === memory.buffer))).toHaveLength(2)
})
