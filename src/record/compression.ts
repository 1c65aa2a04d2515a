import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { corrupt, RecordError } from './errors.ts'
import { compressLz4, decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'

/** Names of Kafka's compression types; the position is the number in a batch's attributes. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type Codec = (typeof CODECS)[number]

/** Most bytes that one batch may decode to. Kafka has no such limit; without one, a kilobyte can ask for gigabytes. */
export const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024

/** Levels of Kafka's `compression.gzip.level` and `compression.zstd.level`; LZ4 has one level here. */
export interface CompressionLevels {
  readonly gzip?: number
  readonly zstd?: number
}

/** Compresses as Kafka's clients do. `none` returns the buffer itself. */
export function compress(codec: Codec, data: Buffer, levels: CompressionLevels = {}): Buffer {
  switch (codec) {
    case 'none':
      return data
    case 'gzip':
      return gzipSync(data, { level: levels.gzip ?? constants.Z_DEFAULT_COMPRESSION })
    case 'snappy':
      return compressSnappy(data)
    case 'lz4':
      return compressLz4(data)
    case 'zstd':
      return zstdCompressSync(data, { params: { [constants.ZSTD_c_compressionLevel]: levels.zstd ?? 3 } })
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
}

/** The input is checked before the WebAssembly decoder sees it; should one slip through, it is bad input all the same. */
function decodeChecked(codec: Codec, decode: () => Buffer): Buffer {
  try {
    return decode()
  } catch (error) {
    throw error instanceof RecordError ? error : corrupt(`${codec} data does not decode`, error)
  }
}

/**
 * Decompresses, refusing more than `maxBytes` before they are allocated. Throws RecordError: CORRUPT_MESSAGE for bytes
 * that are not of this codec, MESSAGE_TOO_LARGE for too many.
 */
export function decompress(codec: Codec, data: Buffer, maxBytes: number = MAX_DECOMPRESSED_BYTES): Buffer {
  switch (codec) {
    case 'none':
      return data
    case 'snappy':
      return decodeChecked(codec, () => decompressSnappy(data, maxBytes))
    case 'lz4':
      return decodeChecked(codec, () => decompressLz4(data, maxBytes))
    case 'gzip':
    case 'zstd':
      try {
        const options = { maxOutputLength: Math.max(1, maxBytes) }
        return codec === 'gzip' ? gunzipSync(data, options) : zstdDecompressSync(data, options)
      } catch (error) {
        if (isTooLarge(error)) {
          throw new RecordError('MESSAGE_TOO_LARGE', `${codec} data decodes to more than ${maxBytes} bytes`)
        }
        throw corrupt(`${codec} data does not decode`, error)
      }
  }
}
