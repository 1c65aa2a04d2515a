import { describe, expect, test } from 'vitest'
import { ProducerBatch } from '../../../src/client/producer/producer-batch.ts'
import { addSequence, PartitionSequences } from '../../../src/client/producer/sequences.ts'
import { BatchBuilder, isBatchCrcValid, peekBatchHeader } from '../../../src/record/index.ts'

const identity = { producerId: 7, producerEpoch: 0 }

function batchOf(records: number): ProducerBatch {
  const builder = new BatchBuilder()
  for (let i = 0; i < records; i++) builder.append(0, null, Buffer.from('x'))
  const batch = new ProducerBatch('t', 0, 0)
  batch.recordCount = records
  batch.bytes = builder.build()
  return batch
}

function assign(sequences: PartitionSequences, records: number): ProducerBatch {
  const batch = batchOf(records)
  sequences.assign(batch, identity)
  return batch
}

describe('PartitionSequences', () => {
  test('sequences wrap from 2^31 - 1 to 0', () => {
    expect(addSequence(0x7fffffff, 1)).toBe(0)
    expect(addSequence(0x7ffffffe, 5)).toBe(3)
  })

  test('identity and sequence are in the encoded batch, and its CRC is right', () => {
    const sequences = new PartitionSequences()
    sequences.acked(assign(sequences, 3))
    const { bytes } = assign(sequences, 2)
    expect(peekBatchHeader(bytes!)).toMatchObject({ producerId: 7, producerEpoch: 0, baseSequence: 3 })
    expect(isBatchCrcValid(bytes!, 0, bytes!.length)).toBe(true)
  })

  test('before the first ack there is one batch, afterwards the oldest of at most five', () => {
    const sequences = new PartitionSequences()
    const first = assign(sequences, 1)
    expect(sequences.acceptsNew).toBe(false)
    sequences.acked(first)
    const open = [1, 2, 3, 4, 5].map(() => {
      expect(sequences.acceptsNew).toBe(true)
      return assign(sequences, 1)
    })
    expect(sequences.acceptsNew).toBe(false)
    // Younger ones that are acked do not help the oldest to be remembered.
    sequences.acked(open[1]!)
    expect(sequences.acceptsNew).toBe(false)
  })

  test('a batch that is certainly not in the log leaves no gap', () => {
    const sequences = new PartitionSequences()
    sequences.acked(assign(sequences, 2))
    const failed = assign(sequences, 3)
    const behind = assign(sequences, 4)
    expect(behind.baseSequence).toBe(5)
    sequences.failed(failed)
    expect([sequences.isBlocked, sequences.needsNewEpoch]).toEqual([true, false])
    sequences.settle()
    expect(behind.baseSequence).toBe(2)
    expect(sequences.isBlocked).toBe(false)
  })

  test('after an unknown outcome nothing new is sent, and a new epoch begins when all have ended', () => {
    const sequences = new PartitionSequences()
    sequences.acked(assign(sequences, 1))
    const lost = assign(sequences, 1)
    const behind = assign(sequences, 1)
    lost.maybeWritten = true
    sequences.failed(lost)
    expect([sequences.acceptsNew, sequences.isBlocked]).toEqual([false, false])
    sequences.acked(behind)
    expect(sequences.needsNewEpoch).toBe(true)
    sequences.restart({ producerId: 7, producerEpoch: 1 })
    const next = batchOf(1)
    sequences.assign(next, { producerId: 7, producerEpoch: 1 })
    expect(next).toMatchObject({ producerEpoch: 1, baseSequence: 0 })
  })

  test('an out-of-order answer to the batch behind an unknown one tells that it was not written', () => {
    const sequences = new PartitionSequences()
    sequences.acked(assign(sequences, 1))
    const lost = assign(sequences, 2)
    const behind = assign(sequences, 1)
    lost.maybeWritten = true
    sequences.failed(lost)
    sequences.outOfOrder(behind)
    sequences.settle()
    expect(behind.baseSequence).toBe(1)
    sequences.outOfOrder(behind)
    expect(sequences.needsNewEpoch).toBe(true)
  })
})
