import { apis, ErrorCode } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import { brokerError, KafkaError } from '../errors.ts'
import type { TopicPartition } from './assignors/assignor.ts'

export const EARLIEST = -2
export const LATEST = -1

export interface OffsetAndTimestamp {
  /** -1: there is no such record. */
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

export interface TimestampQuery extends TopicPartition {
  /** Milliseconds, or -2 earliest, -1 latest, -3 largest timestamp. */
  readonly timestamp: number
}

/** Kafka's ListOffsets from the leaders of the partitions; retried until all have answered or the time is over. */
export async function listOffsets(
  cluster: Cluster,
  queries: readonly TimestampQuery[],
  options: { readCommitted?: boolean; timeoutMs?: number } = {},
): Promise<Map<TimestampQuery, OffsetAndTimestamp>> {
  const found = new Map<TimestampQuery, OffsetAndTimestamp>()
  cluster.want(new Set(queries.map(({ topic }) => topic)))
  const attempt = async () => {
    const open = queries.filter((query) => !found.has(query))
    if (open.some(({ topic, partition }) => cluster.metadata.leader(topic, partition) < 0)) await cluster.refresh()
    const rounds = roundsOf(open)
    const byLeader = Map.groupBy(open, (query) => `${leaderOf(cluster, query)} ${rounds.get(query)}`)
    const failures: unknown[] = []
    const ask = async (asked: readonly TimestampQuery[]) => {
      await askLeader(cluster, leaderOf(cluster, asked[0]!), asked, options.readCommitted ?? false, found).catch(
        (error: unknown) => {
          failures.push(error)
        },
      )
    }
    await Promise.all([...byLeader.values()].map(ask))
    if (failures.length > 0) {
      await cluster.refresh().catch(() => undefined)
      throw failures.find((error) => !(error instanceof KafkaError && error.retriable)) ?? failures[0]
    }
  }
  const { timeoutMs } = options
  if (queries.length > 0) await cluster.retrying('ListOffsets', attempt, timeoutMs === undefined ? {} : { timeoutMs })
  return found
}

/** A request may name a partition once: a second question about it goes into a second request. */
function roundsOf(queries: readonly TimestampQuery[]): Map<TimestampQuery, number> {
  const counts = new Map<string, number>()
  return new Map(
    queries.map((query) => {
      const key = `${query.partition} ${query.topic}`
      const round = counts.get(key) ?? 0
      counts.set(key, round + 1)
      return [query, round]
    }),
  )
}

function leaderOf(cluster: Cluster, { topic, partition }: TopicPartition): number {
  const leader = cluster.metadata.leader(topic, partition)
  if (leader >= 0) return leader
  const code = cluster.metadata.topicErrors.get(topic) || ErrorCode.LEADER_NOT_AVAILABLE
  const missing = cluster.metadata.topics.has(topic) && !cluster.metadata.topics.get(topic)?.partitions[partition]
  throw brokerError(missing ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : code, `ListOffsets of ${topic}-${partition}`)
}

async function askLeader(
  cluster: Cluster,
  leader: number,
  asked: readonly TimestampQuery[],
  readCommitted: boolean,
  found: Map<TimestampQuery, OffsetAndTimestamp>,
): Promise<void> {
  const byTopic = Map.groupBy(asked, ({ topic }) => topic)
  const answer = await cluster.request(leader, apis.listOffsets, {
    // A consumer, not a replica; Kafka's definition has no default here.
    replicaId: -1,
    isolationLevel: readCommitted ? 1 : 0,
    timeoutMs: cluster.config.requestTimeoutMs,
    topics: [...byTopic].map(([name, list]) => ({
      name,
      partitions: list.map(({ partition, timestamp }) => ({ partitionIndex: partition, timestamp })),
    })),
  })
  let failure: KafkaError | undefined
  for (const { name, partitions } of answer.topics) {
    for (const { partitionIndex, errorCode, offset, timestamp, leaderEpoch } of partitions) {
      const query = asked.find(({ topic, partition }) => topic === name && partition === partitionIndex)
      if (errorCode === 0 && query) found.set(query, { offset, timestamp, leaderEpoch })
      else failure ??= brokerError(errorCode, `ListOffsets of ${name}-${partitionIndex}`)
    }
  }
  if (failure) throw failure
}
