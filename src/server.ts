import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism, hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { ConfigError, type RawConfig } from '@millrace/sdk'
import type { Logger } from './base/index.ts'
import { compileCacheFolder, realClock, realDisk, realEnvironment, realNet, realRandom } from './base/real/index.ts'
import { catalogueUrl } from './catalogue.ts'
import { type Client, createClient } from './client/index.ts'
import {
  clientOptions,
  type CommonWorkerConfig,
  type ConfigProviders,
  ConnectHerder,
  createConfigProviders,
  createFileLog,
  createGroupMembership,
  createMemoryLog,
  createOffsetStore,
  createSoloMembership,
  createTopicAdmin,
  createTopicLog,
  createWorker,
  type DistributedWorkerConfig,
  type HerderOptions,
  type HttpClient,
  type InternalTopic,
  type LogLevels,
  type OffsetStore,
  parseDistributedConfig,
  parseListener,
  parseStandaloneConfig,
  Redaction,
  type RestConfig,
  type RestListener,
  topicSettings,
  type Worker,
  type WorkerListener,
} from './connect/index.ts'
import {
  checkoutCommit,
  createRestApp,
  openRestServer,
  parseHeaderRules,
  type RestServer,
  type RestSettings,
} from './rest/index.ts'

/** What a worker is made from, beside its listener. */
export interface WorkerParts {
  readonly workerId: string
  readonly properties: RawConfig
  readonly logger: Logger
  /** The topic to which task hosts write offsets themselves; null when the store below keeps them. */
  readonly offsetsTopic: string | null
  readonly offsets: OffsetStore
}

export interface ConnectOptions {
  readonly properties: RawConfig
  readonly mode: 'standalone' | 'distributed'
  readonly logger: Logger
  readonly logLevels: LogLevels
  /** The worker lost its group for good, for example because it may not use it; the process should end. */
  readonly onFatal?: (error: Error) => void
  /** Another worker implementation, for tests of everything around it. */
  readonly createWorker?: (listener: WorkerListener, parts: WorkerParts) => Worker
}

/** A running Connect worker. */
export interface ConnectServer {
  /** Where REST is reached; ends with a slash. */
  readonly url: string
  readonly herder: ConnectHerder
  /** Stops all work in good order and hands it over. */
  stop(): Promise<void>
}

/** In a checkout the folder above this one; a package has its files elsewhere, and no history. */
const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Starts a worker with everything around it; resolves when it is healthy. */
export function startConnect(options: ConnectOptions): Promise<ConnectServer> {
  return withValues(options, (resolved) =>
    resolved.mode === 'standalone' ? startStandalone(resolved) : startDistributed(resolved),
  )
}

/** Runs work with the values of config providers in its properties; no error of it shows one. */
export async function withValues<O extends Pick<ConnectOptions, 'properties'>, T>(
  options: O,
  work: (resolved: O & Resolved) => Promise<T>,
): Promise<T> {
  const providers = createConfigProviders(options.properties, { disk: realDisk, environment: realEnvironment })
  const { config, secrets, issues } = providers.resolve(options.properties)
  if (issues.length > 0) throw new ConfigError(issues.map(({ message }) => message).join('\n'))
  const resolved = { ...options, properties: config, providers, secrets: [...secrets.keys()] }
  try {
    return await work(resolved)
  } catch (error) {
    // Invariant 10: the message of a value that does not parse quotes it.
    const redaction = new Redaction()
    redaction.set('worker', resolved.secrets)
    throw redaction.error(error)
  }
}

/** What comes of resolving properties. */
interface Resolved {
  readonly providers: ConfigProviders
  readonly secrets: readonly string[]
}

type ResolvedOptions = ConnectOptions & Resolved

/** HTTP to other workers. */
const http: HttpClient = async ({ method, url, headers, body, timeoutMs }) => {
  const response = await fetch(url, {
    method,
    headers,
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === null ? {} : { body: new Uint8Array(body) }),
  })
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  }
}

/** The ports of a process and how others reach it. */
export interface Endpoint {
  readonly servers: readonly { readonly server: RestServer; readonly parts: { connect: boolean; admin: boolean } }[]
  readonly workerId: string
  readonly url: string
}

/** Opens the ports first: the worker tells others where it is reached, and /health answers while it starts. */
export async function openEndpoint(config: RestConfig): Promise<Endpoint> {
  const admin = config['admin.listeners']
  const listeners = config.listeners.map(requireListener)
  const servers = []
  for (const listener of listeners) {
    servers.push({ server: await openRestServer(listener), parts: { connect: true, admin: admin === null } })
  }
  for (const listener of (admin ?? []).map(requireListener)) {
    servers.push({ server: await openRestServer(listener), parts: { connect: false, admin: true } })
  }
  const [first] = listeners
  const host = config['rest.advertised.host.name'] ?? first?.host ?? hostname()
  const port = config['rest.advertised.port'] ?? servers[0]?.server.port ?? 0
  const workerId = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return { servers, workerId, url: `http://${workerId}/` }
}

function requireListener(text: string): RestListener {
  const listener = parseListener(text)
  if (!listener) throw new Error(`${text} passed the check of listeners and cannot be read`)
  return listener
}

async function serve(options: ConnectOptions, config: CommonWorkerConfig, endpoint: Endpoint, herder: ConnectHerder) {
  const settings = restSettings(config, options.logger)
  for (const { server, parts } of endpoint.servers) {
    await server.serve(createRestApp({ ...settings, herder, parts }))
  }
}

/** How REST is served, whatever it serves. */
export function restSettings(config: RestConfig, logger: Logger): RestSettings & { readonly commit: string } {
  return {
    http,
    clock: realClock,
    logger,
    cors: {
      allowOrigin: config['access.control.allow.origin'],
      allowMethods: config['access.control.allow.methods'],
    },
    responseHeaders: parseHeaderRules(config['response.http.headers.config']),
    commit: checkoutCommit(realDisk, ROOT),
  }
}

/** What both modes have in common. */
function commonOptions(
  options: Pick<ConnectOptions, 'logger' | 'logLevels'>,
  config: CommonWorkerConfig,
  endpoint: Place,
) {
  return {
    workerId: endpoint.workerId,
    url: endpoint.url,
    clock: realClock,
    random: realRandom,
    logger: options.logger,
    http,
    logLevels: options.logLevels,
    labels: new Set(config['worker.labels']),
    topicTracking: {
      enabled: config['topic.tracking.enable'],
      allowReset: config['topic.tracking.allow.reset'],
    },
  } satisfies Partial<HerderOptions>
}

function openClient(options: Pick<ConnectOptions, 'properties' | 'logger'>): Client {
  const environment = { net: realNet, clock: realClock, random: realRandom, logger: options.logger }
  return createClient(clientOptions(options.properties, environment))
}

/** The worker with task hosts, or what the caller gave. */
function workerOf(options: Omit<ResolvedOptions, 'mode'>, listener: WorkerListener, parts: WorkerParts): Worker {
  if (options.createWorker) return options.createWorker(listener, parts)
  return createWorker({
    ...parts,
    clock: realClock,
    disk: realDisk,
    catalogue: catalogueUrl,
    listener,
    cores: availableParallelism(),
    configProviders: options.providers,
    secrets: options.secrets,
  })
}

async function startStandalone(options: ResolvedOptions): Promise<ConnectServer> {
  const { properties, logger } = options
  const config = parseStandaloneConfig(properties)
  const endpoint = await openEndpoint(config)
  const admin = openClient(options).admin({ clientId: `connect-${endpoint.workerId}` })
  const path = config['offset.storage.file.filename']
  const offsets = createOffsetStore(createFileLog({ path, disk: realDisk, clock: realClock }))
  const { workerId, url } = endpoint
  const herder = new ConnectHerder({
    ...commonOptions(options, config, endpoint),
    findClusterId: async () => {
      const { clusterId } = await admin.describeCluster()
      await admin.close()
      return clusterId
    },
    createWorker: (listener) =>
      workerOf(options, listener, { workerId, properties, logger, offsetsTopic: null, offsets }),
    membership: createSoloMembership({ url, clock: realClock }),
    configLog: createMemoryLog(realClock),
    statusLog: createMemoryLog(realClock),
    sessionKeys: null,
  })
  await offsets.start()
  return run(options, config, endpoint, herder, () => offsets.stop())
}

async function startDistributed(options: ResolvedOptions): Promise<ConnectServer> {
  const config = parseDistributedConfig(options.properties)
  const endpoint = await openEndpoint(config)
  const { herder, closeStores } = createGroupWorker(options, config, endpoint)
  return run(options, config, endpoint, herder, closeStores)
}

/** How a worker is called, and where others reach it. */
export type Place = Pick<Endpoint, 'workerId' | 'url'> & Pick<HerderOptions, 'path'>

/** A worker of a group, not started; `closeStores` is called after its herder has stopped. */
export function createGroupWorker(
  options: Omit<ResolvedOptions, 'mode'> & Pick<HerderOptions, 'onRebalanced'>,
  config: DistributedWorkerConfig,
  endpoint: Place,
): { readonly herder: ConnectHerder; closeStores(): Promise<void> } {
  const { properties, logger } = options
  const { workerId } = endpoint
  const client = openClient(options)
  const admin = client.admin({ clientId: `connect-${workerId}` })
  const topicAdmin = createTopicAdmin(admin)
  const topics = internalTopics(config, properties)
  const logOf = (store: 'config' | 'offset' | 'status') =>
    createTopicLog({
      client,
      admin: topicAdmin,
      topic: topics[store],
      clientId: `connect-${workerId}-${store}`,
      clock: realClock,
      logger,
      // A cluster with exactly-once support writes configuration and offsets in transactions.
      readCommitted: store !== 'status',
    })
  const offsets = createOffsetStore(logOf('offset'))
  const herder = new ConnectHerder({
    ...commonOptions(options, config, endpoint),
    ...(endpoint.path === undefined ? {} : { path: endpoint.path }),
    ...(options.onRebalanced ? { onRebalanced: options.onRebalanced } : {}),
    findClusterId: async () => {
      const [{ clusterId }] = await Promise.all([admin.describeCluster(), offsets.start()])
      return clusterId
    },
    createWorker: (listener) =>
      workerOf(options, listener, { workerId, properties, logger, offsetsTopic: topics.offset.name, offsets }),
    membership: createMembership(options, config, endpoint, client),
    configLog: logOf('config'),
    statusLog: logOf('status'),
    sessionKeys: sessionKeySettings(config),
  })
  const closeStores = async () => {
    await Promise.all([offsets.stop(), admin.close()])
  }
  return { herder, closeStores }
}

function createMembership(
  options: Pick<ConnectOptions, 'logger' | 'onFatal'>,
  config: DistributedWorkerConfig,
  endpoint: Place,
  client: Client,
) {
  return createGroupMembership({
    createMember: (owner) =>
      client.groupMember(
        {
          clientId: `connect-${endpoint.workerId}`,
          groupId: config['group.id'],
          protocolType: 'connect',
          sessionTimeoutMs: config['session.timeout.ms'],
          heartbeatIntervalMs: config['heartbeat.interval.ms'],
          rebalanceTimeoutMs: config['rebalance.timeout.ms'],
        },
        owner,
      ),
    url: endpoint.url,
    labels: new Set(config['worker.labels']),
    protocol: config['connect.protocol'],
    maxDelayMs: config['scheduled.rebalance.max.delay.ms'],
    sync: { syncTimeoutMs: config['worker.sync.timeout.ms'], unsyncBackoffMs: config['worker.unsync.backoff.ms'] },
    clock: realClock,
    logger: options.logger,
    onFatal: (error) => {
      options.logger.error({ err: error }, 'the membership in the group has ended')
      options.onFatal?.(error)
    },
  })
}

function sessionKeySettings(config: DistributedWorkerConfig): HerderOptions['sessionKeys'] {
  if (config['connect.protocol'] !== 'sessioned') return null
  return {
    keyAlgorithm: config['inter.worker.key.generation.algorithm'],
    keySizeBits: config['inter.worker.key.size'],
    ttlMs: config['inter.worker.key.ttl.ms'],
    signatureAlgorithm: config['inter.worker.signature.algorithm'],
    verificationAlgorithms: config['inter.worker.verification.algorithms'],
  }
}

function internalTopics(
  config: DistributedWorkerConfig,
  properties: RawConfig,
): Readonly<Record<'config' | 'offset' | 'status', InternalTopic>> {
  const topic = (store: 'config' | 'offset' | 'status', content: string, partitions: number): InternalTopic => ({
    name: config[`${store}.storage.topic`],
    property: `${store}.storage.topic`,
    content,
    partitions,
    replicationFactor: config[`${store}.storage.replication.factor`],
    replicationFactorIsExplicit: properties[`${store}.storage.replication.factor`] !== undefined,
    settings: topicSettings(properties, store),
    singlePartition: store === 'config',
  })
  return {
    config: topic('config', 'connector configurations', 1),
    offset: topic('offset', 'source connector offsets', config['offset.storage.partitions']),
    status: topic('status', 'connector and task statuses', config['status.storage.partitions']),
  }
}

async function run(
  options: ConnectOptions,
  config: CommonWorkerConfig,
  endpoint: Endpoint,
  herder: ConnectHerder,
  closeStores: () => Promise<void>,
): Promise<ConnectServer> {
  const stop = async () => {
    await herder.stop()
    await closeStores()
    await Promise.all(endpoint.servers.map(({ server }) => server.close()))
  }
  try {
    await serve(options, config, endpoint, herder)
    await herder.start()
  } catch (error) {
    await stop().catch((cause: unknown) => options.logger.warn({ err: cause }, 'stopping after a failed start failed'))
    throw error
  }
  options.logger.info({ url: endpoint.url, mode: options.mode }, 'the worker is healthy')
  return { url: endpoint.url, herder, stop }
}

/** A broker that runs as a child process. */
export interface BrokerProcess {
  readonly port: number
  readonly bootstrapServers: string
  readonly pid: number
  /** Resolves with the exit code when the process ends, whoever ended it. */
  readonly exited: Promise<number | null>
  stop(): Promise<void>
}

export interface BrokerProcessOptions {
  /** As in server.properties. */
  readonly properties: RawConfig
  /** Environment of the child, such as LOG_LEVEL; the parent's otherwise. */
  readonly environment?: Readonly<Record<string, string>>
}

/** The module of a command that is run in a process of its own, in a checkout or built. */
function moduleFile(name: string): string {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  return fileURLToPath(new URL(name + extension, import.meta.url))
}

/** Starts the built-in broker in a process of its own; it ends when this process does. */
export async function startBrokerProcess(options: BrokerProcessOptions): Promise<BrokerProcess> {
  const overrides = Object.entries(options.properties).flatMap(([key, value]) => ['--override', `${key}=${value}`])
  const child = fork(moduleFile('./cli/main'), ['broker', ...overrides], {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCacheFolder(), ...options.environment },
  })
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code))
  })
  const port = await listening(child, exited)
  return {
    port,
    bootstrapServers: `127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    exited,
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

const ERROR_TEXT_BYTES_MAX = 4000

function listening(child: ChildProcess, exited: Promise<number | null>): Promise<number> {
  let errorText = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errorText = (errorText + chunk.toString('utf8')).slice(-ERROR_TEXT_BYTES_MAX)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.on('message', (message: { type?: string; port?: number }) => {
      if (message.type === 'listening' && message.port !== undefined) resolve(message.port)
    })
    void exited.then((code) => reject(new Error(`the broker ended with code ${code}: ${errorText.trim()}`)))
  })
}
