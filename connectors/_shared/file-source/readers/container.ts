import type { ByteSource, ReadBlock } from '../../formats/index.ts'
import type { Block, BlockReader } from '../reader.ts'

type ReadBlocks = (source: ByteSource, from: number) => AsyncIterable<ReadBlock>

// The libraries of the formats are loaded by the first file of them: files of text do without.
const formats = () => import('../../formats/index.ts')

/** Reads the values of Avro container files, with their schemas. */
export const avroReader: BlockReader = readerOf(async () => (await formats()).readAvroBlocks)

/** Reads the rows of Parquet files, with their schemas. */
export const parquetReader: BlockReader = readerOf(async () => (await formats()).readParquetBlocks)

function readerOf(load: () => Promise<ReadBlocks>): BlockReader {
  return {
    async *blocks(source, from): AsyncGenerator<Block> {
      const read = await load()
      for await (const { position, next, values } of read(source, from)) {
        const rows = values.map(({ schema, value }) => ({ key: null, keySchema: null, value, valueSchema: schema }))
        yield { position, next, rows }
      }
    },
  }
}
