import { apis } from '../../protocol/index.ts'
import type { BrokerConnection } from '../broker-connection.ts'
import type { Cluster } from '../cluster.ts'
import { brokerError } from '../errors.ts'

const GROUP_KEY = 0
/** From this version on several keys are asked for at once. */
const BATCHED_VERSION = 4

/** Asks any broker which one coordinates a group, and makes its address known. Throws the broker's error. */
export async function findCoordinator(cluster: Cluster, groupId: string): Promise<number> {
  const connection = await cluster.anyConnection()
  const batched = connection.versionOf(apis.findCoordinator) >= BATCHED_VERSION
  const request = batched ? { keyType: GROUP_KEY, coordinatorKeys: [groupId] } : { keyType: GROUP_KEY, key: groupId }
  const answer = await connection.request(apis.findCoordinator, request)
  const found = batched ? answer.coordinators[0] : answer
  const errorCode = found?.errorCode ?? 15
  if (!found || errorCode !== 0) throw brokerError(errorCode, `Coordinator of group ${groupId}`, found?.errorMessage)
  const { nodeId, host, port } = found
  const known = cluster.metadata.brokers.get(nodeId)
  if (known?.host !== host || known.port !== port) {
    cluster.metadata.brokers.set(nodeId, { id: nodeId, host, port, rack: known?.rack ?? null })
  }
  return nodeId
}

/** Finds a group's coordinator and connects to it. */
export async function connectCoordinator(cluster: Cluster, groupId: string): Promise<BrokerConnection> {
  return cluster.connection(await findCoordinator(cluster, groupId), 'coordinator')
}
