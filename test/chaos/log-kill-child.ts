// The process that log-kill.ts kills: appends to a few logs as fast as it can and says what was acknowledged.
import { writeSync } from 'node:fs'
import { silentLogger } from '../../src/base/index.ts'
import { realClock, realDisk, realRandom } from '../../src/base/real/index.ts'
import { type Log, LogManager, randomId } from '../../src/log/index.ts'
import { killBatch, killLogConfig, PARTITIONS, readValues } from './log-kill-batches.ts'

const directory = process.argv[2]!
const manager = LogManager.open({
  directory,
  nodeId: 1,
  disk: realDisk,
  clock: realClock,
  random: realRandom,
  logger: silentLogger,
  configFor: killLogConfig,
  checkpointMs: 50,
})

function fail(message: string): never {
  writeSync(2, `${message}\n`)
  process.exit(3)
}

/** A client that comes back after the crash sends its last batches again: they must be known. */
function repeatLast(log: Log, next: number): void {
  for (let sequence = Math.max(0, next - 5); sequence < next; sequence++) {
    const result = log.append(killBatch(log.partition, sequence), { leaderEpoch: 0 })
    if (result.error) fail(`batch ${sequence} of partition ${log.partition} sent again: ${result.error}`)
    if (!result.duplicate) fail(`batch ${sequence} of partition ${log.partition} was appended twice`)
  }
}

async function produce(log: Log): Promise<never> {
  const values = readValues(log)
  let next = values.length
  repeatLast(log, next)
  for (;;) {
    let last = -1
    for (let i = 0; i < 1 + (next % 5); i++) {
      const result = log.append(killBatch(log.partition, next), { leaderEpoch: 0 })
      if (result.error) fail(`batch ${next} of partition ${log.partition}: ${result.error} ${result.message}`)
      last = result.lastOffset
      next++
    }
    await log.whenCommitted(last + 1)
    // One short write to a pipe is atomic: the line arrives whole or not at all.
    writeSync(1, `${log.partition} ${next - 1}\n`)
  }
}

for (let partition = 0; partition < PARTITIONS; partition++) {
  const log =
    manager.get('chaos', partition) ?? manager.create({ topic: 'chaos', partition, topicId: randomId(realRandom) })
  void produce(log)
}
