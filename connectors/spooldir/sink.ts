import { defineSinkConnector } from '@millrace/sdk'
import { folderProblem } from './folders.ts'
import { sinkManifest } from './manifest.ts'
import { placeIssues } from './place-check.ts'
import { sinkConfig } from './sink-config.ts'
import { SpoolDirSinkTask } from './sink-task.ts'

/** Writes records into files of JSON lines or CSV. */
export default defineSinkConnector({
  name: sinkManifest.name,
  version: sinkManifest.version,
  aliases: sinkManifest.aliases,
  config: sinkConfig,
  validate: (config) =>
    placeIssues(config, async (system) => {
      const problem = await folderProblem(system, config['output.path'], true)
      return problem === undefined ? [] : [{ key: 'output.path', message: `${config['output.path']}: ${problem}` }]
    }),
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => raw),
  createTask: (config, context) => new SpoolDirSinkTask(config, context),
})
