import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '../../../base/index.ts'
import { realClock, realNet, realRandom } from '../../../base/real/index.ts'
import { createClient } from '../../../client/index.ts'
import { type ConnectServer, startBrokerProcess, startConnect } from '../../../server.ts'
import { createConnectLogger } from '../../connect-logger.ts'
import { requireFreePort } from '../ports.ts'
import { Running } from '../running.ts'
import { pluginLog } from './plugin-log.ts'
import { build, connectorsOf, openProject, type PluginProject } from './plugin-project.ts'
import { ProjectWatcher } from './project-watcher.ts'
import { printRecords } from './record-printer.ts'
import { StateReporter } from './state-reporter.ts'

export interface DevPluginOptions {
  /** The package, as an absolute path. */
  readonly folder: string
  /** Undefined: all of `examples/`. */
  readonly connectorFiles: readonly string[] | undefined
  readonly kafkaPort: number
  readonly restPort: number
  /** Stops by itself after this time; null runs until it is told to stop. */
  readonly durationMs: number | null
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
  readonly print: (text: string) => void
}

/** New topics are to be seen soon after they are made. */
const METADATA_MAX_AGE_MS = 1000

/**
 * Runs a log and, over it, a worker with the package and its connectors; prints what arrives in topics. When a file of
 * the package is saved it is built, and the worker starts anew: the log and the offsets of sources stay, so a source goes
 * on where it was. A package that does not build is told, and what ran before stops.
 */
export async function runDevPlugin(options: DevPluginOptions): Promise<void> {
  const { print } = options
  const project = openProject(options.folder)
  await requireFreePort(options.kafkaPort, '--kafka-port')
  await requireFreePort(options.restPort, '--rest-port')
  const stopped = stopSignal(options)
  const running = new Running()
  try {
    // Paths in configurations are those of the package, wherever this was started.
    process.chdir(project.folder)
    const data = await mkdtemp(join(tmpdir(), 'millrace-dev-plugin-'))
    running.add(() => rm(data, { recursive: true, force: true }))
    const watcher = new ProjectWatcher(project.folder)
    running.add(() => Promise.resolve(watcher.close()))
    const bootstrapServers = await openLog(options, data, running)
    print(`log on ${bootstrapServers}, REST on http://127.0.0.1:${options.restPort}; Ctrl-C stops both`)
    showRecords(bootstrapServers, running, print)
    const properties = workerProperties(options, data, bootstrapServers)
    while (!stopped.aborted) {
      await runOnce(project, options, properties, stopped, watcher)
    }
  } finally {
    await running.close()
  }
}

/** Aborts with Ctrl-C or when the time is over. */
function stopSignal({ signal, durationMs }: DevPluginOptions): AbortSignal {
  return durationMs === null ? signal : AbortSignal.any([signal, AbortSignal.timeout(durationMs)])
}

async function openLog({ kafkaPort }: DevPluginOptions, data: string, running: Running): Promise<string> {
  const broker = await startBrokerProcess({
    properties: {
      listeners: `PLAINTEXT://127.0.0.1:${kafkaPort}`,
      'log.dirs': join(data, 'log'),
      'group.initial.rebalance.delay.ms': '0',
      'auto.create.topics.enable': 'true',
    },
  })
  running.add(() => broker.stop())
  return broker.bootstrapServers
}

function showRecords(bootstrapServers: string, running: Running, print: (text: string) => void): void {
  const environment = { net: realNet, clock: realClock, random: realRandom, logger: silentLogger }
  const client = createClient({
    ...environment,
    bootstrapServers: [bootstrapServers],
    metadataMaxAgeMs: METADATA_MAX_AGE_MS,
  })
  const ended = new AbortController()
  const printing = printRecords(client, 'dev-plugin', ended.signal, print).catch((error: unknown) => {
    print(`records are not shown any more: ${error instanceof Error ? error.message : String(error)}`)
  })
  running.add(() => {
    ended.abort(new Error('the end'))
    return printing
  })
}

function workerProperties(
  { folder, restPort }: DevPluginOptions,
  data: string,
  bootstrapServers: string,
): Record<string, string> {
  const converter = 'org.apache.kafka.connect.json.JsonConverter'
  return {
    'bootstrap.servers': bootstrapServers,
    'plugin.path': folder,
    'key.converter': converter,
    'value.converter': converter,
    'key.converter.schemas.enable': 'false',
    'value.converter.schemas.enable': 'false',
    'offset.storage.file.filename': join(data, 'offsets'),
    'offset.flush.interval.ms': '1000',
    listeners: `http://127.0.0.1:${restPort}`,
  }
}

/** One round: build, run until the next save or the end, stop. */
async function runOnce(
  project: PluginProject,
  options: DevPluginOptions,
  properties: Readonly<Record<string, string>>,
  stopped: AbortSignal,
  watcher: ProjectWatcher,
): Promise<void> {
  const { print } = options
  const { ok, output } = await build(project, stopped)
  if (stopped.aborted) return
  if (!ok) {
    print(`${project.name} does not build; it is tried again when you save:\n${output}`)
    return watcher.changed(stopped)
  }
  const log = createConnectLogger(pluginLog(print))
  log.levels.set('root', 'INFO', realClock.now())
  const worker = await startConnect({ mode: 'standalone', properties, logger: log.logger, logLevels: log.levels })
  const reporter = new StateReporter(worker.herder, print)
  try {
    await createConnectors(worker, options)
    print(`${project.name} is built and runs; save a file to start it again`)
    reporter.start()
    await watcher.changed(stopped)
  } finally {
    reporter.stop()
    await worker.stop()
  }
  if (!stopped.aborted) print('a file was saved')
}

/** A connector that is refused is told with the worker's own words; the others run. */
async function createConnectors({ herder }: ConnectServer, options: DevPluginOptions): Promise<void> {
  for (const { name, config, initialState } of readConnectors(options)) {
    try {
      await herder.createConnector(name, { ...config, name }, initialState)
    } catch (error) {
      options.print(`connector ${name} is refused: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

function readConnectors({ folder, connectorFiles, print }: DevPluginOptions) {
  try {
    return connectorsOf(folder, connectorFiles)
  } catch (error) {
    // A file that is being edited: it is read again with the next save.
    print(error instanceof Error ? error.message : String(error))
    return []
  }
}
