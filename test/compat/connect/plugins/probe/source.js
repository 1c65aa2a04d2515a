import { setTimeout as delay } from 'node:timers/promises'
import { defineConfig, defineSourceConnector } from '@millrace/sdk'

const config = defineConfig({
  'fail.tasks': { type: 'string', default: '', importance: 'low', doc: 'Numbers of tasks that fail.' },
  'fail.connector': { type: 'boolean', default: false, importance: 'low', doc: 'Whether the connector fails.' },
})

/** Tasks that write nothing; those of `fail.tasks` throw in start, and so does the connector with `fail.connector`. */
export default defineSourceConnector({
  name: 'ProbeSource',
  version: '1.0.0',
  config,
  monitor: (settings) => {
    if (settings['fail.connector']) throw new Error('the connector fails on purpose')
    return { stop: () => undefined }
  },
  taskConfigs: (_settings, maxTasks, raw) =>
    Array.from({ length: maxTasks }, (_, task) => ({ ...raw, number: String(task) })),
  createTask: (settings, context) => ({
    start() {
      if (settings['fail.tasks'].split(',').includes(context.raw.number)) throw new Error('the task fails on purpose')
    },
    async poll(signal) {
      await delay(10, undefined, { signal }).catch(() => undefined)
      return null
    },
  }),
})
