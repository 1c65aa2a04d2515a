import { type Disk, parseProperties, type Random } from '../base/index.ts'
import { LogError } from './errors.ts'

const FILE = 'meta.properties'
const VERSION = '1'
const ID = /^[A-Za-z0-9_-]{22}$/

/** Who a data directory belongs to. */
export interface MetaProperties {
  /** 22 characters of base64url, the same for all directories of a cluster. */
  readonly clusterId: string
  readonly nodeId: number
  /** This directory's own id (KIP-858). */
  readonly directoryId: string
}

/** A random id as Kafka writes them: 16 bytes as 22 characters of base64url, never starting with a dash. */
export function randomId(random: Random): string {
  for (;;) {
    const id = Buffer.from(random.uuid().replaceAll('-', ''), 'hex').toString('base64url')
    if (!id.startsWith('-')) return id
  }
}

function parseMeta(path: string, text: string): MetaProperties {
  const properties = parseProperties(text)
  const value = (key: string): string => properties[key] ?? ''
  const clusterId = value('cluster.id')
  const directoryId = value('directory.id')
  const nodeId = Number(value('node.id'))
  if (value('version') !== VERSION || !ID.test(clusterId) || !Number.isInteger(nodeId) || nodeId < 0) {
    throw new LogError(
      'LOG_DIRECTORY_INVALID',
      `${path} needs version=1, a cluster.id of 22 characters and a node.id; restore it from a copy or, if the directory is empty, delete it`,
    )
  }
  return { clusterId, nodeId, directoryId }
}

/** Reads meta.properties, or writes it into a directory that has none. */
export function openMetaProperties(
  disk: Disk,
  directory: string,
  random: Random,
  options: { readonly nodeId: number; readonly clusterId?: string },
): MetaProperties {
  const path = `${directory}/${FILE}`
  if (!disk.exists(path)) {
    const meta = {
      clusterId: options.clusterId ?? randomId(random),
      nodeId: options.nodeId,
      directoryId: randomId(random),
    }
    const lines = [
      `cluster.id=${meta.clusterId}`,
      `directory.id=${meta.directoryId}`,
      `node.id=${meta.nodeId}`,
      `version=${VERSION}`,
    ]
    disk.replaceFile(path, `#\n${lines.join('\n')}\n`)
    return meta
  }
  const meta = parseMeta(path, disk.readFile(path).toString('utf8'))
  if (meta.nodeId !== options.nodeId) {
    throw new LogError(
      'LOG_DIRECTORY_INVALID',
      `${path} belongs to node.id ${meta.nodeId}, this broker has node.id ${options.nodeId}; set node.id=${meta.nodeId} or another log.dirs`,
    )
  }
  if (options.clusterId !== undefined && options.clusterId !== meta.clusterId) {
    throw new LogError(
      'LOG_DIRECTORY_INVALID',
      `${path} belongs to cluster ${meta.clusterId}, not ${options.clusterId}; use another log.dirs`,
    )
  }
  return meta
}
