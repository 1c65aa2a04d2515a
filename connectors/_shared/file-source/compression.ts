import { once } from 'node:events'
import { pipeline, Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { DataError } from '@millrace/sdk'
import type { ByteStream } from './file-system.ts'

const DECODERS: Readonly<Record<string, () => Transform>> = {
  '.gz': () => createGunzip(),
  '.zst': () => createZstdDecompress(),
  '.zstd': () => createZstdDecompress(),
}
/** Endings that SpoolDir decompresses and this connector does not. */
const REFUSED: Readonly<Record<string, string>> = {
  '.bz2': 'bzip2',
  '.snappy': 'snappy',
  '.lz4': 'lz4',
  '.z': 'Unix compress',
}

const endingOf = (path: string): string => /\.[^./]+$/.exec(path)?.[0].toLowerCase() ?? ''

/** Whether positions in the file's data are other than those in the file. Throws DataError on a format that is not read. */
export function isCompressed(path: string): boolean {
  const ending = endingOf(path)
  const refused = REFUSED[ending]
  if (refused !== undefined) {
    throw new DataError(`files with the ending ${ending} (${refused}) are not read: compress with gzip or zstd`)
  }
  return DECODERS[ending] !== undefined
}

/** What is in a compressed file, from a position of its data on: all before it has to be decompressed too. */
export function decompressed(path: string, source: ByteStream, position: number): ByteStream {
  const decoder = DECODERS[endingOf(path)]?.() as Transform
  const input = Readable.from(chunksOf(source), { objectMode: false })
  const output = pipeline(input, decoder, () => undefined)
  const chunks = output[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let skip = position
  return {
    async next() {
      for (;;) {
        const { value, done } = await chunks.next().catch((error: unknown) => {
          const { code } = error as { code?: unknown }
          if (typeof code !== 'string' || !/^(Z_|ERR_ZLIB|ZSTD_)/.test(code)) throw error
          throw new DataError(`the compressed data is damaged (${code})`, { cause: error })
        })
        if (done === true) return null
        if (skip >= value.length) {
          skip -= value.length
          continue
        }
        const rest = skip === 0 ? value : value.subarray(skip)
        skip = 0
        return rest
      }
    },
    async close() {
      if (!input.destroyed) {
        const closed = once(input, 'close')
        input.destroy()
        await closed
      }
      decoder.destroy()
      await source.close()
    },
  }
}

/** The decoder reads later than it is given, so chunks are copied. */
async function* chunksOf(source: ByteStream): AsyncGenerator<Buffer> {
  for (let chunk = await source.next(); chunk !== null; chunk = await source.next()) yield Buffer.from(chunk)
}
