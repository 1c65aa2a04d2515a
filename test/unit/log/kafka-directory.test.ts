import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../../src/base/index.ts'
import { realClock, realDisk, realRandom } from '../../../src/base/real/index.ts'
import { DEFAULT_LOG_CONFIG, type Log, LogManager } from '../../../src/log/index.ts'
import { decodeRecords } from '../../../src/record/index.ts'
import {
  copyGoldenMeta,
  copyGoldenPartition,
  GOLDEN_CODECS,
  GOLDEN_RECORDS,
  goldenFile,
  goldenRecord,
} from '../../compat/golden-partitions.ts'
import { append, batchOf } from './log-fixture.ts'

const LOG = '00000000000000000000'
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-golden-'))
  copyGoldenMeta(directory)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function open(clean: boolean): LogManager {
  if (clean) realDisk.replaceFile(join(directory, '.kafka_cleanshutdown'), '{"version":0,"brokerEpoch":8}')
  return LogManager.open({
    directory,
    nodeId: 1,
    disk: realDisk,
    clock: realClock,
    random: realRandom,
    logger: silentLogger,
    // The value that the topics were made with, so that indexes made anew can be compared.
    configFor: () => ({ ...DEFAULT_LOG_CONFIG, indexIntervalBytes: 256, retentionMs: Number.POSITIVE_INFINITY }),
  })
}

function values(log: Log): (string | null)[] {
  const seen: (string | null)[] = []
  for (let offset = 0; offset < log.highWatermark; ) {
    const { records, error } = log.read(offset, 1000)
    if (error) throw new Error(error)
    for (const record of decodeRecords(records)) {
      seen.push(record.value === null ? null : record.value.toString())
      offset = record.offset + 1
    }
  }
  return seen
}

describe.each(GOLDEN_CODECS)('a partition of Apache Kafka with %s', (codec) => {
  const topic = `golden-${codec}`
  const expected = Array.from({ length: GOLDEN_RECORDS }, (_, i) => goldenRecord(codec, i).value)

  test('is opened after a clean stop, indexes, epochs, topic id and producers included', async () => {
    copyGoldenPartition(topic, directory)
    const manager = open(true)
    const log = manager.get(topic, 0)!
    expect(log.recovery).toEqual({ scannedSegments: 0, truncatedBytes: 0, lostBatches: 0 })
    expect(values(log)).toEqual(expected)
    expect(goldenFile(topic, 'partition.metadata').toString()).toContain(log.topicId)
    expect(log.latestEpoch).toBe(0)
    expect(log.activeProducers()).toHaveLength(1)
    expect(append(log, batchOf(['ours']))).toBe(GOLDEN_RECORDS)
    await manager.close()
  })

  test('gets the same index files when they are made anew', async () => {
    const path = copyGoldenPartition(topic, directory)
    for (const suffix of ['index', 'timeindex']) rmSync(join(path, `${LOG}.${suffix}`))
    const manager = open(false)
    expect(values(manager.get(topic, 0)!)).toEqual(expected)
    await manager.close()
    for (const suffix of ['index', 'timeindex']) {
      const ours = realDisk.readFile(join(path, `${LOG}.${suffix}`))
      expect(ours.toString('hex')).toBe(goldenFile(topic, `${LOG}.${suffix}`).toString('hex'))
    }
  })
})

test('a transactional partition of Apache Kafka has the producer state that Kafka wrote', async () => {
  const path = copyGoldenPartition('golden-txn', directory)
  const snapshot = goldenFile('golden-txn', '00000000000000000042.snapshot')
  rmSync(join(path, '00000000000000000042.snapshot'))
  const manager = open(false)
  await manager.close()
  const ours = realDisk.readFile(join(path, '00000000000000000042.snapshot'))
  // All but the CRC and the time of the last batch, which is ours.
  const comparable = (bytes: Buffer): string =>
    Buffer.concat([bytes.subarray(6, 36), bytes.subarray(44)]).toString('hex')
  expect(comparable(ours)).toBe(comparable(snapshot))
})
