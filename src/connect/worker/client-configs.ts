import type { RawConfig } from '@millrace/sdk'
import { withoutPrefix } from '../config/config-def.ts'
import type { TaskId } from './worker.ts'

/** Keys that the worker itself and the clients of its tasks share, so that they need not be written three times. */
const SHARED_KEYS = ['bootstrap.servers', 'client.rack', 'request.timeout.ms', 'connections.max.idle.ms']
const SHARED_PREFIXES = [
  'client.dns.',
  'security.',
  'ssl.',
  'sasl.',
  'metadata.',
  'send.buffer.',
  'receive.buffer.',
  'reconnect.backoff.',
  'retry.backoff.',
  'default.api.timeout.',
  'socket.connection.setup.',
]

/** The part of a worker's properties that says how its cluster is reached. */
export function sharedClientConfig(worker: RawConfig): RawConfig {
  const isShared = (key: string) =>
    SHARED_KEYS.includes(key) || SHARED_PREFIXES.some((prefix) => key.startsWith(prefix))
  return Object.fromEntries(Object.entries(worker).filter(([key]) => isShared(key)))
}

/** The configuration of a task's producer: worker, `producer.` of the worker, `producer.override.` of the connector. */
export function producerConfig(worker: RawConfig, connector: RawConfig, id: TaskId, use = 'producer'): RawConfig {
  return {
    acks: 'all',
    // A task never gives a record up by itself: what the log does not take now it may take later.
    'delivery.timeout.ms': '2147483647',
    'linger.ms': '0',
    // Under load records come faster than one small batch a request can carry.
    'batch.size': '131072',
    'client.id': `connector-${use}-${id.connector}-${id.task}`,
    ...sharedClientConfig(worker),
    ...withoutPrefix(worker, 'producer.'),
    ...withoutPrefix(connector, 'producer.override.'),
  }
}

/** The client id of a sink task's consumer: no two tasks of a Connect cluster share it. */
export function consumerClientId(id: TaskId): string {
  return `connector-consumer-${id.connector}-${id.task}`
}

/** The configuration of a sink task's consumer. */
export function consumerConfig(worker: RawConfig, connector: RawConfig, id: TaskId): RawConfig {
  return {
    'group.id': `connect-${id.connector}`,
    'client.id': consumerClientId(id),
    'auto.offset.reset': 'earliest',
    // What a task that is cut off from the log holds on to; with the client's default of 45 s that would be long.
    'session.timeout.ms': '10000',
    'heartbeat.interval.ms': '1000',
    ...sharedClientConfig(worker),
    ...withoutPrefix(worker, 'consumer.'),
    ...withoutPrefix(connector, 'consumer.override.'),
    'enable.auto.commit': 'false',
  }
}

/** The configuration of a task's admin client. */
export function adminConfig(worker: RawConfig, connector: RawConfig, id: TaskId): RawConfig {
  return {
    'client.id': `connector-adminclient-${id.connector}-${id.task}`,
    ...sharedClientConfig(worker),
    ...withoutPrefix(worker, 'admin.'),
    ...withoutPrefix(connector, 'admin.override.'),
  }
}
