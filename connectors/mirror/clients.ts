import {
  ConnectError,
  type ConnectorContext,
  type KafkaAdmin,
  type KafkaClients,
  type KafkaConsumer,
  type KafkaProducer,
  type RawConfig,
  type TaskContext,
} from '@millrace/sdk'
import type { CommonConfig } from './common-config.ts'

export type Side = 'source' | 'target'
type Kind = 'consumer' | 'producer' | 'admin'

/** The clients of both clusters, configured as MirrorMaker does it. */
export interface MirrorClients {
  admin(side: Side, role: string): KafkaAdmin
  consumer(side: Side, role: string): KafkaConsumer
  producer(side: Side, role: string): KafkaProducer
}

/** More records a poll than Kafka's 500: each poll of a task costs the same, however many it gives. */
const POLL_RECORDS = '2000'

/** Opens nothing yet. */
export function mirrorClients(
  config: CommonConfig,
  raw: RawConfig,
  context: Pick<ConnectorContext | TaskContext, 'kafka' | 'connectorName'> & { readonly taskId?: number },
): MirrorClients {
  const kafka = kafkaOf(context)
  const { connectorName, taskId } = context
  const clusters = `${config['source.cluster.alias']}->${config['target.cluster.alias']}`
  const label = `${clusters}|${connectorName}${taskId === undefined ? '' : `-${taskId}`}`
  const settings = (side: Side, kind: Kind, role: string): RawConfig => {
    const own = { ...withPrefix(raw, `${kind}.`), ...withPrefix(raw, `${side}.${kind}.`) }
    const servers = config[`${side}.cluster.bootstrap.servers`]
    const client = own['client.id']
    return {
      ...DEFAULTS[kind](config),
      // An empty one is of the worker's own cluster.
      ...(servers === '' ? {} : { 'bootstrap.servers': servers }),
      ...own,
      'client.id': `${client === undefined ? '' : `${client}|`}${label}|${role}`,
    }
  }
  return {
    admin: (side, role) => kafka.admin(settings(side, 'admin', role)),
    consumer: (side, role) => kafka.consumer(settings(side, 'consumer', role)),
    producer: (side, role) => kafka.producer(settings(side, 'producer', role)),
  }
}

const DEFAULTS: Readonly<Record<Kind, (config: CommonConfig) => RawConfig>> = {
  admin: (config) => ({ 'default.api.timeout.ms': String(config['admin.timeout.ms']) }),
  consumer: () => ({ 'auto.offset.reset': 'earliest', 'max.poll.records': POLL_RECORDS }),
  producer: () => ({ acks: 'all' }),
}

function kafkaOf({ kafka }: { readonly kafka?: KafkaClients }): KafkaClients {
  if (kafka) return kafka
  throw new ConnectError('This runtime gives no Kafka clients to plugins, and a mirror cannot do without')
}

/** What comes behind a prefix, as settings of a client. */
function withPrefix(raw: RawConfig, prefix: string): RawConfig {
  const entries = Object.entries(raw).filter(([key, value]) => key.startsWith(prefix) && value !== null)
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length), value]))
}

/** Runs work with an admin client of its own. */
export async function withAdmin<T>(admin: KafkaAdmin, work: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
  try {
    return await work(admin)
  } finally {
    await admin.close()
  }
}
