/** `node --conditions=source test/bench/micro/log-append.ts`: appends to one log, with and without group commit. */
import { benchBatch, openBenchLog } from './bench-log.ts'
import { line, mega, perCpuSecond } from './cpu.ts'

const SECONDS = Number(process.argv[2] ?? 1)

async function append(
  name: string,
  batch: Buffer,
  records: number,
  flush: 'os' | 'commit',
  perTurn: number,
): Promise<void> {
  const { log, remove } = openBenchLog({
    flush,
    segmentBytes: 256 << 20,
    retentionBytes: 256 << 20,
    fileDeleteDelayMs: 1,
  })
  try {
    let bytes = 0
    const { units, wallUnits } = await perCpuSecond(SECONDS, async () => {
      for (let i = 0; i < perTurn; i++) {
        const result = log.append(batch, { leaderEpoch: 0 })
        if (result.error) throw new Error(result.message)
        bytes += batch.length
      }
      await log.whenCommitted(log.logEndOffset)
      if (bytes > 512 << 20) {
        bytes = 0
        log.applyRetention()
        await new Promise((resolve) => setImmediate(resolve))
      }
      return perTurn
    })
    line(`append ${name}, flush ${flush}, ${perTurn} a turn`, {
      'k appends/cpu-s': (units / 1e3).toFixed(0),
      'MB/cpu-s': mega(units * batch.length, 0),
      'MB/s': mega(wallUnits * batch.length, 0),
      'M records/cpu-s': mega(units * records),
    })
  } finally {
    await remove()
  }
}

const small = benchBatch(1024, 1)
const large = benchBatch(1024, 62)
await append('1 x 1 KiB', small, 1, 'os', 100)
await append('64 KiB', large, 62, 'os', 16)
await append('1 x 1 KiB', small, 1, 'commit', 1)
await append('1 x 1 KiB', small, 1, 'commit', 50)
await append('64 KiB', large, 62, 'commit', 16)
