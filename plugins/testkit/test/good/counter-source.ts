import { setTimeout as delay } from 'node:timers/promises'
import { defineConfig, defineSourceConnector, FINISHED, schemas, struct } from '@millrace/sdk'

const config = defineConfig({
  topic: { type: 'string', nonEmpty: true, importance: 'high', doc: 'The topic to write to', example: 'numbers' },
  limit: { type: 'int', default: 10, min: 1, importance: 'medium', doc: 'How many numbers to count' },
})

const schema = struct({ number: schemas.int32 }, { name: 'testkit.Number' })

/** Counts, and goes on where its offset says: the example of the SDK. */
export default defineSourceConnector({
  name: 'CounterSource',
  version: '1.0.0',
  config,
  taskConfigs: (_config, _maxTasks, raw) => [raw],
  createTask({ topic, limit }, context) {
    const sourcePartition = { counter: topic }
    let next = 1
    return {
      async start() {
        const offset = await context.offsets.offset(sourcePartition)
        next = Number(offset?.['number'] ?? 0) + 1
      },
      async poll(signal) {
        if (next > limit) return FINISHED
        await delay(1, undefined, { signal }).catch(() => undefined)
        const number = next++
        return [
          {
            topic,
            partition: null,
            key: null,
            keySchema: null,
            value: { number },
            valueSchema: schema,
            headers: [],
            timestamp: null,
            sourcePartition,
            sourceOffset: { number },
          },
        ]
      },
    }
  },
})
