import type { Herder, HealthStatus } from '../connect/index.ts'
import { type Answer, ok } from './reply.ts'
import { renderPrometheus } from './prometheus.ts'
import type { Route } from './route.ts'

/** The version of Kafka Connect whose behaviour this is; tools read it to know what they may ask for. */
const KAFKA_VERSION = '4.3.1'

const HEALTH: Readonly<Record<HealthStatus, readonly [status: number, message: string]>> = {
  healthy: [200, 'Worker has completed startup and is ready to handle requests.'],
  starting: [503, 'Worker is still starting up.'],
  unhealthy: [500, 'Worker was unable to handle this request and may be unable to handle other requests.'],
}

function health(herder: Pick<Herder, 'health'>): Answer {
  const state = herder.health()
  const [status, message] = HEALTH[state]
  return { status, body: { status: state, message } }
}

/** The worker itself: version, health (KIP-1017) and metrics. */
export function serverRoutes(herder: Herder, commit: string): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/',
      doc: 'Version, commit, the id of the Kafka cluster, and the labels of the worker when it has any.',
      handle: async () =>
        ok({
          version: KAFKA_VERSION,
          commit,
          kafka_cluster_id: herder.clusterId,
          ...(herder.labels.size > 0 ? { worker_labels: [...herder.labels] } : {}),
        }),
    },
    ...watchRoutes(herder),
  ]
}

/** What watches over workers asks. */
export function watchRoutes(herder: Pick<Herder, 'health' | 'metrics'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/health',
      doc: '200 healthy, 503 still starting, 500 not able to answer (KIP-1017).',
      handle: async () => health(herder),
    },
    {
      method: 'GET',
      path: '/metrics',
      doc: 'The metrics in the text format of Prometheus.',
      handle: async () => ({
        status: 200,
        body: renderPrometheus(herder.metrics()),
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      }),
    },
  ]
}
