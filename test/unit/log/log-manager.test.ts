import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../../src/base/index.ts'
import { realDisk, realRandom } from '../../../src/base/real/index.ts'
import { DEFAULT_LOG_CONFIG, LogManager, type LogManagerOptions, randomId } from '../../../src/log/index.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { SimClock } from '../../simulation/sim-clock.ts'
import { append, batchOf } from './log-fixture.ts'

const TOPIC_ID = 'AbCdEfGhIjKlMnOpQrStUg'
let directory: string
let clock: SimClock

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-log-'))
  clock = new SimClock()
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function open(options: Partial<LogManagerOptions> = {}): LogManager {
  return LogManager.open({
    directory,
    nodeId: 1,
    disk: realDisk,
    clock,
    random: realRandom,
    logger: silentLogger,
    ...options,
  })
}

const text = (name: string): string => readFileSync(join(directory, name), 'utf8')

test('logs are there again after a clean stop, without a scan', async () => {
  const first = open()
  const log = first.create({ topic: 'orders', partition: 3, topicId: TOPIC_ID })
  append(log, batchOf(['a', 'b']))
  await log.flush()
  await first.close()
  expect(text('.kafka_cleanshutdown')).toBe('{"version":0,"brokerEpoch":-1}')
  const second = open()
  expect(second.wasCleanShutdown).toBe(true)
  const again = second.get('orders', 3)!
  expect([again.logEndOffset, again.highWatermark, again.topicId]).toEqual([2, 2, TOPIC_ID])
  expect(again.recovery.scannedSegments).toBe(0)
  await second.abandon()
})

test('the mark of a clean stop is used up by the start', async () => {
  const first = open()
  append(first.create({ topic: 'a', partition: 0, topicId: TOPIC_ID }), batchOf(['x']))
  await first.close()
  await open().abandon()
  const third = open()
  expect(third.wasCleanShutdown).toBe(false)
  expect(third.get('a', 0)!.recovery.scannedSegments).toBe(1)
  await third.close()
})

test('a second owner is refused and told who has the directory', async () => {
  const manager = open()
  expect(() => open()).toThrow(expect.objectContaining({ code: 'LOG_DIRECTORY_LOCKED' }))
  expect(() => open()).toThrow(`in use by process ${process.pid}`)
  await manager.close()
  await open().close()
})

test('a directory that cannot be made or written to is named at once, with the reason', () => {
  const file = join(directory, 'file')
  writeFileSync(file, '')
  // Node's own recursive mkdir never comes back from /proc.
  for (const unusable of ['/proc/millrace/data', '/proc', file, join(file, 'data')]) {
    if (unusable.startsWith('/proc') && process.platform !== 'linux') continue
    expect(() => open({ directory: unusable })).toThrow(
      expect.objectContaining({
        code: 'LOG_DIRECTORY_UNUSABLE',
        message: expect.stringMatching(
          `the data directory ${unusable} cannot be made or written to \\(E[A-Z]+: .*set log.dirs`,
        ),
      }),
    )
  }
})

test('the lock of a process that is gone does not count', async () => {
  writeFileSync(join(directory, '.lock'), '999999999 1\n')
  await open().close()
  // A pid that was given to another process since: same number, another start.
  writeFileSync(join(directory, '.lock'), `${process.ppid} 1\n`)
  await open().close()
})

test('meta.properties is written once and must match afterwards', async () => {
  const first = open()
  const { meta } = first
  expect(meta.clusterId).toMatch(/^[A-Za-z0-9_-]{22}$/)
  expect(text('meta.properties')).toContain(`cluster.id=${meta.clusterId}\n`)
  await first.close()
  const second = open({ clusterId: meta.clusterId })
  expect(second.meta).toEqual(meta)
  await second.close()
  expect(() => open({ nodeId: 2 })).toThrow(/belongs to node.id 1, this broker has node.id 2/)
  expect(() => open({ clusterId: randomId(realRandom) })).toThrow(/belongs to cluster/)
  writeFileSync(join(directory, 'meta.properties'), 'version=1\n')
  expect(() => open()).toThrow(/needs version=1, a cluster.id/)
})

test('checkpoints have the form of Kafka', async () => {
  const manager = open({ configFor: () => ({ ...DEFAULT_LOG_CONFIG, flush: 'os' }) })
  const log = manager.create({ topic: 'a', partition: 0, topicId: TOPIC_ID })
  append(log, batchOf(['1', '2', '3']))
  log.deleteRecords(2)
  await log.flush()
  manager.checkpoint()
  expect(text('recovery-point-offset-checkpoint')).toBe('0\n1\na 0 3\n')
  expect(text('replication-offset-checkpoint')).toBe('0\n1\na 0 3\n')
  expect(text('log-start-offset-checkpoint')).toBe('0\n1\na 0 2\n')
  expect(text('a-0/leader-epoch-checkpoint')).toBe('0\n1\n0 2\n')
  expect(text('a-0/partition.metadata')).toBe(`version: 0\ntopic_id: ${TOPIC_ID}\n`)
  await manager.close()
})

test('records deleted before a crash do not come back', async () => {
  const manager = open({ configFor: () => ({ ...DEFAULT_LOG_CONFIG, flush: 'os' }) })
  const log = manager.create({ topic: 'a', partition: 0, topicId: TOPIC_ID })
  append(log, batchOf(['1', '2', '3']))
  log.deleteRecords(2)
  await Promise.resolve()
  await manager.abandon()
  const again = open()
  expect(again.get('a', 0)!.logStartOffset).toBe(2)
  await again.close()
})

test('a deleted log is gone at once, its files after file.delete.delay.ms', async () => {
  const manager = open()
  append(manager.create({ topic: 'a', partition: 0, topicId: TOPIC_ID }), batchOf(['x']))
  await manager.delete('a', 0)
  expect(manager.get('a', 0)).toBeUndefined()
  const left = () => realDisk.list(directory).filter((name) => name.startsWith('a-0'))
  expect(left()).toEqual([expect.stringMatching(/^a-0\.[0-9a-f]{16}-delete$/)])
  const fresh = manager.create({ topic: 'a', partition: 0, topicId: randomId(realRandom) })
  expect(fresh.logEndOffset).toBe(0)
  await clock.advance(60_000)
  await expect.poll(left, { timeout: DEADLINE_MS }).toEqual(['a-0'])
  await manager.close()
})

test('a log that was made again under an old name starts at 0, also after a crash', async () => {
  const manager = open()
  const old = manager.create({ topic: 'a', partition: 0, topicId: TOPIC_ID })
  for (const value of ['1', '2', '3']) append(old, batchOf([value]))
  await old.flush()
  old.deleteRecords(2)
  manager.checkpoint()
  await manager.delete('a', 0)
  await manager.abandon()
  // The checkpoints still have the offsets of the old log, and so has the next owner of the directory.
  const next = open()
  const fresh = next.create({ topic: 'a', partition: 0, topicId: randomId(realRandom) })
  append(fresh, batchOf(['new']))
  await fresh.flush()
  await next.abandon()
  const again = open()
  const { logStartOffset, logEndOffset } = again.get('a', 0)!
  expect([logStartOffset, logEndOffset]).toEqual([0, 1])
  await again.close()
})

test('a log that damage cut below its recovery point does not count as synced up to there', async () => {
  const manager = open()
  const log = manager.create({ topic: 'a', partition: 0, topicId: TOPIC_ID })
  for (const value of ['1', '2', '3']) append(log, batchOf([value]))
  await log.flush()
  manager.checkpoint()
  await manager.abandon()
  const file = join(directory, 'a-0/00000000000000000000.log')
  writeFileSync(file, readFileSync(file).subarray(0, -5))
  const again = open()
  expect(again.get('a', 0)!.logEndOffset).toBe(2)
  expect(text('recovery-point-offset-checkpoint')).toBe('0\n1\na 0 2\n')
  await again.close()
})

test('what was to be deleted is deleted by the next start', async () => {
  const manager = open()
  manager.create({ topic: 'a', partition: 0, topicId: TOPIC_ID })
  await manager.delete('a', 0)
  await manager.close()
  const again = open()
  expect([...again.logs()]).toEqual([])
  await again.close()
  expect(realDisk.list(directory).filter((name) => name.startsWith('a-0'))).toEqual([])
})

test('names that cannot be a directory and logs that exist are refused', async () => {
  const manager = open()
  for (const topic of ['', '.', '..', 'a/b', 'ä', 'x'.repeat(250)]) {
    expect(() => manager.create({ topic, partition: 0, topicId: TOPIC_ID })).toThrow(
      expect.objectContaining({ code: 'LOG_DIRECTORY_INVALID' }),
    )
  }
  manager.create({ topic: 'a', partition: 0, topicId: TOPIC_ID })
  expect(() => manager.create({ topic: 'a', partition: 0, topicId: TOPIC_ID })).toThrow(
    expect.objectContaining({ code: 'LOG_EXISTS' }),
  )
  await manager.close()
})

test('settings of a topic change for all its partitions', async () => {
  const manager = open()
  for (const partition of [0, 1]) manager.create({ topic: 'a', partition, topicId: TOPIC_ID })
  manager.create({ topic: 'b', partition: 0, topicId: randomId(realRandom) })
  manager.updateConfig('a', { ...DEFAULT_LOG_CONFIG, retentionMs: 5 })
  expect([...manager.logs()].map(({ topic, config }) => `${topic} ${config.retentionMs}`)).toEqual([
    'a 5',
    'a 5',
    `b ${DEFAULT_LOG_CONFIG.retentionMs}`,
  ])
  await manager.close()
})

test('retention and checkpoints happen by themselves', async () => {
  const manager = open({ configFor: () => ({ ...DEFAULT_LOG_CONFIG, flush: 'os', retentionMs: 1000 }) })
  const log = manager.create({ topic: 'a', partition: 0, topicId: TOPIC_ID })
  append(log, batchOf(['x'], { timestamp: clock.now() }))
  await clock.advance(60_000)
  expect(text('replication-offset-checkpoint')).toBe('0\n1\na 0 1\n')
  expect(log.logStartOffset).toBe(0)
  await clock.advance(300_000)
  expect(log.logStartOffset).toBe(1)
  await manager.close()
})
