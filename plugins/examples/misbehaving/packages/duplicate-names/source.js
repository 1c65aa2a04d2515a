import { defineConfig, defineSourceConnector, FINISHED } from '@millrace/sdk'

/** Writes nothing: who runs it by the name of another plugin would notice. */
export default defineSourceConnector({
  name: 'HonestSource',
  version: '0.0.1',
  config: defineConfig({}),
  taskConfigs: (_settings, _maxTasks, raw) => [raw],
  createTask: () => ({ poll: () => FINISHED }),
})
