import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { RawConfig } from '@millrace/sdk'
import type { Logger } from '../../base/index.ts'
import { realClock } from '../../base/real/index.ts'
import {
  type ConnectHerder,
  type LogLevels,
  NO_URL,
  parseDistributedConfig,
  parseRestConfig,
} from '../../connect/index.ts'
import { createFlowsApp } from '../../rest/index.ts'
import { createGroupWorker, type Endpoint, openEndpoint, type Place, restSettings, withValues } from '../../server.ts'
import { UsageError } from '../usage-error.ts'
import { FlowConnectors } from './flow-connectors.ts'
import type { Flow } from './flows.ts'
import { type MirrorFile, readMirrorFile } from './mirror-file.ts'

export interface MirrorOptions {
  /** The file of MirrorMaker 2, as it is written. */
  readonly properties: RawConfig
  /** The target clusters of this process; empty for all. */
  readonly clusters: readonly string[]
  readonly logger: Logger
  readonly logLevels: LogLevels
  readonly onFatal: (error: Error) => void
}

/** A running process of mirrors. */
export interface MirrorServer {
  /** Where REST is reached; null when the file has none. */
  readonly url: string | null
  stop(): Promise<void>
}

/** The worker of a flow. */
interface FlowWorker {
  readonly flow: Flow
  readonly herder: ConnectHerder
  stop(): Promise<void>
}

/** Starts a worker for each flow of a file; resolves when all are healthy. */
export function startMirror(options: MirrorOptions): Promise<MirrorServer> {
  return withValues(options, ({ properties: values }) => {
    const file = readMirrorFile(options.properties, values, options.clusters)
    return startFlows(options, file, values)
  })
}

async function startFlows(options: MirrorOptions, file: MirrorFile, values: RawConfig): Promise<MirrorServer> {
  const { logger } = options
  if (file.ignored.length > 0) {
    const hint = 'these keys have no effect here; write them at a flow (A->B.key) or a cluster (A.key)'
    logger.warn({ keys: file.ignored }, hint)
  }
  if (!file.flows.some(({ isEnabled }) => isEnabled)) logger.warn({}, 'no flow is enabled: there are only heartbeats')
  const config = parseRestConfig({ ...values, 'admin.listeners': '' })
  const endpoint = file.hasRest ? await openEndpoint(config) : null
  const workers: FlowWorker[] = []
  const stop = async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    await Promise.all(endpoint?.servers.map(({ server }) => server.close()) ?? [])
  }
  try {
    for (const flow of file.flows) workers.push(await inFlow(flow, createFlowWorker(options, flow, endpoint)))
    const flows = workers.map(({ flow, herder }) => ({ name: flow.name, path: `/${pathOf(flow)}`, herder }))
    for (const { server } of endpoint?.servers ?? []) {
      await server.serve(createFlowsApp({ ...restSettings(config, logger), flows }))
    }
    await Promise.all(workers.map(({ flow, herder }) => inFlow(flow, herder.start())))
  } catch (error) {
    await stop().catch((cause: unknown) => logger.warn({ err: cause }, 'stopping after a failed start failed'))
    throw error
  }
  logger.info({ flows: workers.map(({ flow }) => flow.name), url: endpoint?.url ?? null }, 'the mirror is healthy')
  return { url: endpoint?.url ?? null, stop }
}

/** What the world or the file has done wrong is told with the flow that it happened to. */
async function inFlow<T>({ name }: Flow, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new UsageError(`${name}: ${error.message}`, { cause: error })
    throw error
  }
}

function pathOf({ source, target }: Flow): string {
  return `${source}/${target}`
}

/** Names of workers as MirrorMaker makes them. */
function placeOf(flow: Flow, endpoint: Endpoint | null): Place {
  if (!endpoint) return { workerId: `${hostname()}/${flow.name}/${randomUUID()}`, url: NO_URL }
  return { workerId: `${endpoint.workerId}/${flow.name}`, url: endpoint.url, path: `${pathOf(flow)}/` }
}

function createFlowWorker(options: MirrorOptions, flow: Flow, endpoint: Endpoint | null): Promise<FlowWorker> {
  const { logLevels, onFatal } = options
  const logger = options.logger.child({ flow: flow.name })
  return withValues({ properties: flow.worker }, async ({ properties, providers, secrets }) => {
    const connectors = new FlowConnectors({
      flow,
      herder: () => herder,
      clock: realClock,
      logger,
      onRefused: onFatal,
    })
    const onRebalanced = (isLeader: boolean) => connectors.onRebalanced(isLeader)
    const parts = { properties, providers, secrets, logger, logLevels, onFatal, onRebalanced }
    const place = placeOf(flow, endpoint)
    const { herder, closeStores } = createGroupWorker(parts, parseDistributedConfig(properties), place)
    const stop = async () => {
      connectors.stop()
      await herder.stop()
      await closeStores()
    }
    return { flow, herder, stop }
  })
}
