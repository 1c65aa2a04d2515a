import { defineConfig, defineSinkConnector } from '@millrace/sdk'

export default defineSinkConnector({
  name: 'MixedUpSource',
  version: '0.0.1',
  config: defineConfig({}),
  taskConfigs: (_settings, _maxTasks, raw) => [raw],
  createTask: () => ({ put: () => undefined }),
})
