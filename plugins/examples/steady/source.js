import { setTimeout as delay } from 'node:timers/promises'
import { defineConfig, defineSourceConnector, FINISHED, schemas } from '@millrace/sdk'

const config = defineConfig({
  topic: { type: 'string', importance: 'high', doc: 'Where the numbers go.' },
  'max.records': { type: 'long', default: -1, importance: 'medium', doc: 'Ends after so many; -1 is never.' },
  'batch.size': { type: 'int', default: 100, min: 1, importance: 'low', doc: 'Numbers given with each poll.' },
  'interval.ms': { type: 'long', default: 10, min: 0, importance: 'low', doc: 'Pause between two polls.' },
})

const PARTITION = { counter: 'numbers' }

/** Counts: 0, 1, 2, ... and goes on after a restart where the committed offset says. */
class SteadySourceTask {
  #config
  #context
  #next = 0

  constructor(settings, context) {
    this.#config = settings
    this.#context = context
  }

  async start() {
    const offset = await this.#context.offsets.offset(PARTITION)
    this.#next = offset === null ? 0 : Number(offset.next)
  }

  async poll(signal) {
    const limit = this.#config['max.records']
    if (limit >= 0 && this.#next >= limit) return FINISHED
    await delay(this.#config['interval.ms'], undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return null
    const end = Math.min(this.#next + this.#config['batch.size'], limit < 0 ? Number.POSITIVE_INFINITY : limit)
    const records = []
    for (; this.#next < end; this.#next++) {
      records.push({
        topic: this.#config.topic,
        partition: null,
        key: null,
        keySchema: null,
        value: String(this.#next),
        valueSchema: schemas.string,
        headers: [],
        timestamp: null,
        sourcePartition: PARTITION,
        sourceOffset: { next: this.#next + 1 },
      })
    }
    return records
  }
}

export default defineSourceConnector({
  name: 'SteadySource',
  version: '1.2.0',
  config,
  taskConfigs: (_settings, _maxTasks, raw) => [raw],
  createTask: (settings, context) => new SteadySourceTask(settings, context),
})
