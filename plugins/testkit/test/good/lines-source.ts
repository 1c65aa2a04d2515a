import { setTimeout as delay } from 'node:timers/promises'
import { open } from 'node:fs/promises'
import { defineConfig, defineSourceConnector, schemas } from '@millrace/sdk'

const config = defineConfig({
  file: { type: 'string', nonEmpty: true, importance: 'high', doc: 'The file to read', example: '/tmp/lines' },
  topic: { type: 'string', default: 'lines', nonEmpty: true, importance: 'high', doc: 'The topic to write to' },
  'read.bytes': {
    type: 'int',
    default: 200_000,
    min: 1,
    importance: 'low',
    doc: 'Read with one poll; a line has less',
  },
})

/** The bytes of a file from a position on, up to so many. */
async function bytesAt(path: string, position: number, length: number): Promise<Buffer> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** Gives the lines of a file, and waits for more. */
export default defineSourceConnector({
  name: 'LinesSource',
  version: '1.0.0',
  config,
  taskConfigs: (_config, _maxTasks, raw) => [raw],
  createTask({ file, topic, 'read.bytes': readBytes }, context) {
    const sourcePartition = { file }
    let position = 0
    return {
      async start() {
        position = Number((await context.offsets.offset(sourcePartition))?.['position'] ?? 0)
      },
      async poll(signal) {
        const bytes = await bytesAt(file, position, readBytes)
        const lines = bytes
          .toString('utf8', 0, bytes.lastIndexOf(10) + 1)
          .split('\n')
          .slice(0, -1)
        if (lines.length === 0) await delay(5, undefined, { signal }).catch(() => undefined)
        return lines.map((value) => {
          position += Buffer.byteLength(value) + 1
          return {
            topic,
            partition: null,
            key: null,
            keySchema: null,
            value,
            valueSchema: schemas.string,
            headers: [],
            timestamp: null,
            sourcePartition,
            sourceOffset: { position },
          }
        })
      },
    }
  },
})
