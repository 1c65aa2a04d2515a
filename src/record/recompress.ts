import { BATCH_ATTRIBUTE, BATCH_FIELD, BATCH_HEADER_SIZE, BATCH_OVERHEAD } from './batch-header.ts'
import { CODECS, type Codec, type CompressionLevels, compress, decompress } from './compression.ts'
import { crc32c } from './crc32c.ts'
import { RecordError } from './errors.ts'

/** The same batch in another codec, for topics whose compression.type is not the producer's. Throws RecordError. */
export function recompressBatch(
  batch: Buffer,
  codec: Codec,
  levels: CompressionLevels = {},
  maxDecompressedBytes?: number,
): Buffer {
  const attributes = batch.readInt16BE(BATCH_FIELD.attributes)
  const current = CODECS[attributes & BATCH_ATTRIBUTE.codecMask]
  if (!current) throw new RecordError('UNSUPPORTED_COMPRESSION_TYPE', 'batch has an unknown codec')
  const records = decompress(current, batch.subarray(BATCH_HEADER_SIZE), maxDecompressedBytes)
  const packed = compress(codec, records, levels)
  const result = Buffer.allocUnsafeSlow(BATCH_HEADER_SIZE + packed.length)
  result.set(batch.subarray(0, BATCH_HEADER_SIZE))
  result.set(packed, BATCH_HEADER_SIZE)
  result.writeInt32BE(result.length - BATCH_OVERHEAD, BATCH_FIELD.batchLength)
  result.writeInt16BE((attributes & ~BATCH_ATTRIBUTE.codecMask) | CODECS.indexOf(codec), BATCH_FIELD.attributes)
  result.writeUInt32BE(crc32c(result, BATCH_FIELD.attributes), BATCH_FIELD.crc)
  return result
}
