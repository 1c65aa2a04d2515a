import type { Clock, Logger, Random } from '../base/index.ts'
import type { LogManager } from '../log/index.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import type { FetchSessions } from './fetch/fetch-sessions.ts'
import type { GroupCoordinator } from './groups/group-coordinator.ts'
import type { Deadlines } from './deadlines.ts'
import type { FramePool } from './network/frame-pool.ts'
import type { TopicRegistry } from './topics/topic-registry.ts'

/** Everything that request handlers work with. */
export interface BrokerServices {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly config: BrokerConfig
  readonly clusterId: string
  readonly topics: TopicRegistry
  readonly logs: LogManager
  readonly groups: GroupCoordinator
  readonly fetchSessions: FetchSessions
  readonly deadlines: Deadlines
  /** Memory for requests, and for what is read from the logs to answer them. */
  readonly pool: FramePool
  /** What ApiVersions answers. */
  readonly apiRanges: readonly { apiKey: number; minVersion: number; maxVersion: number }[]
}
