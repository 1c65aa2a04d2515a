export { type ConfigProviders, createConfigProviders } from './config/config-providers.ts'
export {
  type CommonWorkerConfig,
  type DistributedWorkerConfig,
  distributedWorkerConfig,
  parseDistributedConfig,
  parseListener,
  parseRestConfig,
  parseStandaloneConfig,
  type RestConfig,
  type RestListener,
  type StandaloneWorkerConfig,
  standaloneWorkerConfig,
  topicSettings,
} from './config/worker-config.ts'
export { converterManifests } from './converters/index.ts'
export { Redaction } from './host/redaction.ts'
export { HerderError, type HerderErrorCode, RequestTargetError } from './herder/errors.ts'
export { ConnectHerder, type HerderOptions } from './herder/connect-herder.ts'
export { NO_URL } from './herder/leader.ts'
export type { HealthStatus, Herder } from './herder/herder.ts'
export type { HttpClient, HttpRequest, HttpResponse } from './herder/http-client.ts'
export { createLogLevels, effectiveLevel, loggerOf, type LogLevels } from './herder/log-levels.ts'
export { createGroupMembership } from './herder/group-membership.ts'
export type { Membership } from './herder/membership.ts'
export { createSoloMembership } from './herder/solo-membership.ts'
export { type FoundPackage, findPackages, type PackagePlugin, scanPackages } from './plugins/package-scan.ts'
export { type DeclaredPlugin, type PackageManifest, readManifest } from './plugins/package-manifest.ts'
export {
  DIRECTORY_LOCK,
  type InstalledPackage,
  packageFolder,
  type PackageSource,
  PluginDirectoryError,
  type Provenance,
  readDirectory,
  writeDirectory,
} from './plugins/plugin-directory.ts'
export { type PluginReference, pluginReferences } from './plugins/plugin-references.ts'
export { conflictText, type Plugin, PluginRegistry } from './plugins/plugin-registry.ts'
export { createFileLog, OffsetFileError } from './stores/file-log.ts'
export { createTopicAdmin } from './stores/client-topic-admin.ts'
export { type InternalTopic, InternalTopicError } from './stores/internal-topic.ts'
export { createOffsetStore } from './stores/offset-log-store.ts'
export type { OffsetEntry, OffsetStore } from './stores/offset-store.ts'
export { createTopicLog } from './stores/topic-log.ts'
export { createMemoryLog } from './stores/memory-log.ts'
export type { CompactedLog } from './stores/compacted-log.ts'
export type {
  MetricSample,
  PluginInfo,
  RunState,
  StateDetail,
  TargetState,
  TaskId,
  Worker,
  WorkerListener,
} from './worker/worker.ts'
export { clientOptions } from './worker/client-properties.ts'
export { createWorker, type WorkerOptions } from './worker/create-worker.ts'
export { runtimeConnectorConfig } from './worker/runtime-config.ts'
export { taskHostConfig } from './worker/task-host-config.ts'
