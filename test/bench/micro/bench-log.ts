import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '../../../src/base/index.ts'
import { realClock, realDisk, realRandom } from '../../../src/base/real/index.ts'
import { DEFAULT_LOG_CONFIG, type Log, type LogConfig, LogManager, randomId } from '../../../src/log/index.ts'
import { BatchBuilder } from '../../../src/record/index.ts'

/** A log of its own in a temporary folder, which goes away with `remove`. */
export function openBenchLog(
  config: Partial<LogConfig>,
  tailCacheBytes?: number,
): { log: Log; remove(): Promise<void> } {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const manager = LogManager.open({
    directory,
    nodeId: 1,
    disk: realDisk,
    clock: realClock,
    random: realRandom,
    logger: silentLogger,
    ...(tailCacheBytes === undefined ? {} : { tailCacheBytes }),
  })
  const topicId = randomId(realRandom)
  const log = manager.create({ topic: 'bench', partition: 0, topicId, config: { ...DEFAULT_LOG_CONFIG, ...config } })
  const remove = async () => {
    await manager.close()
    rmSync(directory, { recursive: true, force: true })
  }
  return { log, remove }
}

/** One batch of `count` records of `size` bytes. */
export function benchBatch(size: number, count: number): Buffer {
  const builder = new BatchBuilder()
  for (let i = 0; i < count; i++) builder.append(Date.now(), null, Buffer.alloc(size, i))
  return builder.build()
}
