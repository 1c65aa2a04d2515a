/** `node --conditions=source test/bench/micro/fetch-read.ts`: reads from one log, at the tail and from the disk. */
import { benchBatch, openBenchLog } from './bench-log.ts'
import { line, mega, perCpuSecond } from './cpu.ts'

const SECONDS = Number(process.argv[2] ?? 1)
const TOTAL = 128 << 20

async function read(name: string, batch: Buffer, maxBytes: number, cacheBytes: number, reuse = false): Promise<void> {
  const { log, remove } = openBenchLog({ flush: 'os' }, cacheBytes)
  try {
    for (let written = 0; written < TOTAL; written += batch.length) log.append(batch, { leaderEpoch: 0 })
    const first = cacheBytes > 1 ? Math.floor(log.logEndOffset * 0.9) : 0
    let offset = first
    const memory = Buffer.alloc(maxBytes)
    const options = reuse ? { allocate: () => memory } : {}
    const bytesPerRead = log.read(first, maxBytes).records.length
    const perBatch = batch.readInt32BE(57)
    const { units } = await perCpuSecond(SECONDS, () => {
      let bytes = 0
      for (let i = 0; i < 20; i++) {
        const { records, error } = log.read(offset, maxBytes, options)
        if (error || records.length === 0) throw new Error(error ?? 'nothing to read')
        bytes += records.length
        offset += (records.length / batch.length) * perBatch
        if (offset >= log.logEndOffset) offset = first
      }
      return bytes
    })
    line(`read ${name}, ${maxBytes / 1024} KiB`, {
      'k reads/cpu-s': (units / bytesPerRead / 1e3).toFixed(1),
      'MB/cpu-s': mega(units, 0),
    })
  } finally {
    await remove()
  }
}

const large = benchBatch(1024, 62)
const small = benchBatch(1024, 1)
for (const maxBytes of [64 << 10, 1 << 20]) {
  await read('64 KiB batches from the tail', large, maxBytes, 64 << 20)
  await read('64 KiB batches from the disk', large, maxBytes, 1)
  await read('64 KiB batches, memory used again', large, maxBytes, 1, true)
  await read('1 KiB batches from the tail', small, maxBytes, 64 << 20)
  await read('1 KiB batches from the disk', small, maxBytes, 1)
}
