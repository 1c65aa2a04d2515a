import { defineSinkConnector, type PluginLogger } from '@millrace/sdk'
import { connectTo } from './connect.ts'
import { folderProblem } from './folders.ts'
import { sinkManifest } from './manifest.ts'
import { sinkConfig } from './sink-config.ts'
import { SpoolDirSinkTask } from './sink-task.ts'

const quiet: PluginLogger = { debug() {}, info() {}, warn() {}, error() {} }

/** Writes records into files of JSON lines or CSV. */
export default defineSinkConnector({
  name: sinkManifest.name,
  version: sinkManifest.version,
  aliases: sinkManifest.aliases,
  config: sinkConfig,
  async validate(config) {
    try {
      const system = await connectTo(config, quiet)
      try {
        const problem = await folderProblem(system, config['output.path'], true)
        return problem === undefined ? [] : [{ key: 'output.path', message: `${config['output.path']}: ${problem}` }]
      } finally {
        await system.close()
      }
    } catch (error) {
      const { key } = error as { key?: string }
      return [{ key: key ?? 'file.system', message: (error as Error).message }]
    }
  },
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => raw),
  createTask: (config, context) => new SpoolDirSinkTask(config, context),
})
