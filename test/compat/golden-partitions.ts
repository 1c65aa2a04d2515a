import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('golden/kafka-segments', import.meta.url))

/** Records in each golden topic but the transactional one. */
export const GOLDEN_RECORDS = 300
export const GOLDEN_CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** A file of a partition that Apache Kafka 4.3.1 wrote (see golden/kafka-segments/make.ts). */
export function goldenFile(topic: string, name: string): Buffer {
  return readFileSync(join(FOLDER, topic, `${name}.bin`))
}

/** Puts a golden partition, under its true file names, into a data directory as `<topic>-0`. */
export function copyGoldenPartition(topic: string, dataDirectory: string): string {
  const target = join(dataDirectory, `${topic}-0`)
  mkdirSync(target, { recursive: true })
  for (const name of readdirSync(join(FOLDER, topic)))
    cpSync(join(FOLDER, topic, name), join(target, name.slice(0, -4)))
  return target
}

export function copyGoldenMeta(dataDirectory: string): void {
  cpSync(join(FOLDER, 'meta.properties.bin'), join(dataDirectory, 'meta.properties'))
}

/** Record number `i` of a golden topic. */
export function goldenRecord(
  codec: string,
  i: number,
): { key: string; value: string | null; headers: [string, string][] } {
  const value = `{"id":${i},"codec":"${codec}","text":"${'golden '.repeat(i % 12)}"}`
  return {
    key: `key-${i % 10}`,
    value: i % 7 === 3 ? null : value,
    headers: [
      ['h1', `v${i}`],
      ['h2', '\u00fc'],
    ],
  }
}
