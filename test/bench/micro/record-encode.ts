/** `node --conditions=source test/bench/micro/record-encode.ts`: encoding and decoding record batches. */
import {
  BatchBuilder,
  crc32c,
  decodeBatch,
  type Codec,
  CODECS,
  RecordCursor,
  wasmCrc32c,
} from '../../../src/record/index.ts'
import { line, mega, perCpuSecond } from './cpu.ts'

const SECONDS = Number(process.argv[2] ?? 1)
const NOW = 1_700_000_000_000

function values(size: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(
      JSON.stringify({ id: i, name: `driver-${i}`, at: NOW + i, text: 'x'.repeat(size) })
        .slice(0, size)
        .padEnd(size),
    ),
  )
}

async function encode(size: number, batchBytes: number, withHeader: boolean): Promise<void> {
  const builder = new BatchBuilder(batchBytes + 4096)
  const data = values(size, 256)
  const key = Buffer.from('key-0001')
  const headers = withHeader ? [{ key: 'source', value: Buffer.from('bench') }] : []
  const { units } = await perCpuSecond(SECONDS, () => {
    for (let i = 0; i < 200_000; i++) {
      if (builder.append(NOW + (i & 1023), key, data[i & 255]!, headers) >= batchBytes) builder.build()
    }
    return 200_000
  })
  const name = `encode ${size} B, ${batchBytes / 1024} KiB batches${withHeader ? ', 1 header' : ''}`
  line(name, { 'M records/cpu-s': mega(units), 'MB/cpu-s': mega(units * size, 0) })
}

function batchOf(size: number, count: number, codec: Codec): Buffer {
  const builder = new BatchBuilder()
  const data = values(size, 256)
  for (let i = 0; i < count; i++) builder.append(NOW + i, Buffer.from('key-0001'), data[i & 255]!)
  return builder.build({ codec })
}

async function decode(size: number, count: number): Promise<void> {
  const batch = batchOf(size, count, 'none')
  const cursor = new RecordCursor()
  let sum = 0
  const lazy = await perCpuSecond(SECONDS, () => {
    for (let i = 0; i < 50; i++) {
      cursor.open(batch)
      while (cursor.next()) sum += cursor.valueLength
    }
    return 50 * count
  })
  line(`cursor ${size} B x ${count}`, { 'M records/cpu-s': mega(lazy.units) })
  const full = await perCpuSecond(SECONDS, () => {
    for (let i = 0; i < 20; i++) sum += decodeBatch(batch).records.length
    return 20 * count
  })
  line(`decodeBatch ${size} B x ${count}`, { 'M records/cpu-s': mega(full.units) })
}

async function codecs(): Promise<void> {
  for (const codec of CODECS) {
    const batch = batchOf(200, 320, codec)
    const rawSize = batchOf(200, 320, 'none').length
    const read = await perCpuSecond(SECONDS / 2, () => {
      for (let i = 0; i < 20; i++) decodeBatch(batch)
      return 20 * rawSize
    })
    line(`decode 64 KiB of ${codec}`, { 'MB/cpu-s': mega(read.units, 0), ratio: (rawSize / batch.length).toFixed(1) })
  }
}

async function checksums(): Promise<void> {
  for (const size of [1024, 65_536, 1_048_576]) {
    const data = Buffer.alloc(size, 7)
    const rounds = Math.ceil(16e6 / size)
    for (const [name, crc] of [
      ['crc32c', crc32c],
      ['crc32c wasm', wasmCrc32c],
    ] as const) {
      const { units } = await perCpuSecond(SECONDS / 2, () => {
        for (let i = 0; i < rounds; i++) crc(data)
        return rounds * size
      })
      line(`${name} ${size} B`, { 'GB/cpu-s': (units / 1e9).toFixed(1) })
    }
  }
}

await encode(100, 64 * 1024, false)
await encode(100, 16 * 1024, true)
await encode(1024, 64 * 1024, false)
await decode(100, 500)
await decode(1024, 60)
await codecs()
await checksums()
