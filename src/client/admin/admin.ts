import { apis } from '../../protocol/index.ts'
import { Cluster } from '../cluster.ts'
import type { ClientConfig } from '../client-config.ts'
import { throwOnError } from '../errors.ts'
import type { Broker } from '../metadata.ts'
import { AclAdmin } from './acls.ts'
import { ConfigAdmin } from './configs.ts'
import { GroupAdmin } from './groups.ts'
import { type AdminCallOptions, TopicAdmin } from './topics.ts'

export interface ClusterDescription {
  readonly clusterId: string
  readonly controllerId: number
  readonly brokers: readonly Broker[]
}

export interface LogDirDescription {
  readonly brokerId: number
  readonly path: string
  readonly totalBytes: number
  readonly usableBytes: number
  readonly replicas: readonly {
    readonly topic: string
    readonly partition: number
    readonly sizeInBytes: number
    readonly offsetLag: number
    readonly isFuture: boolean
  }[]
}

/** Administers a cluster. Calls about several things answer with a result or an error for each. */
export class Admin {
  readonly #cluster: Cluster
  readonly topics: TopicAdmin
  readonly configs: ConfigAdmin
  readonly groups: GroupAdmin
  readonly acls: AclAdmin

  constructor(client: ClientConfig) {
    this.#cluster = new Cluster(client)
    this.topics = new TopicAdmin(this.#cluster)
    this.configs = new ConfigAdmin(this.#cluster)
    this.groups = new GroupAdmin(this.#cluster)
    this.acls = new AclAdmin(this.#cluster)
  }

  async describeCluster(options: AdminCallOptions = {}): Promise<ClusterDescription> {
    return this.#cluster.retrying(
      'DescribeCluster',
      async () => {
        const connection = await this.#cluster.anyConnection()
        if (!connection.supports(apis.describeCluster)) return this.#clusterFromMetadata()
        const answer = await connection.request(apis.describeCluster, {})
        throwOnError(answer.errorCode, 'DescribeCluster', answer.errorMessage)
        const brokers = answer.brokers.map(({ brokerId, host, port, rack }) => ({ id: brokerId, host, port, rack }))
        return { clusterId: answer.clusterId, controllerId: answer.controllerId, brokers }
      },
      options,
    )
  }

  async #clusterFromMetadata(): Promise<ClusterDescription> {
    await this.#cluster.refresh()
    const { clusterId, controllerId, brokers } = this.#cluster.metadata
    return { clusterId: clusterId ?? '', controllerId, brokers: [...brokers.values()] }
  }

  /** Log directories of these brokers, or of all. */
  async describeLogDirs(brokerIds?: readonly number[], options: AdminCallOptions = {}): Promise<LogDirDescription[]> {
    return this.#cluster.retrying(
      'DescribeLogDirs',
      async () => {
        await this.#cluster.refresh()
        const found: LogDirDescription[] = []
        for (const brokerId of brokerIds ?? this.#cluster.metadata.brokers.keys()) {
          const answer = await this.#cluster.request(brokerId, apis.describeLogDirs, { topics: null })
          throwOnError(answer.errorCode, `Log directories of broker ${brokerId}`)
          for (const { errorCode, logDir, totalBytes, usableBytes, topics } of answer.results) {
            throwOnError(errorCode, `Log directory ${logDir} of broker ${brokerId}`)
            const replicas = topics.flatMap(({ name, partitions }) =>
              partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
                topic: name,
                partition: partitionIndex,
                sizeInBytes: partitionSize,
                offsetLag,
                isFuture: isFutureKey,
              })),
            )
            found.push({ brokerId, path: logDir, totalBytes, usableBytes, replicas })
          }
        }
        return found
      },
      options,
    )
  }

  close(): Promise<void> {
    this.#cluster.close()
    return Promise.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
