import type { FastifyInstance } from 'fastify'
import type { Herder, HealthStatus } from '../connect/index.ts'
import { createApp, type RestSettings } from './app.ts'
import { connectorRoutes } from './connector-routes.ts'
import { serverRoutes, watchRoutes } from './server-routes.ts'

/** A group of workers of which this process has one, beside others. */
export interface Flow {
  readonly name: string
  /** Where it is on the server, such as `/A/B`. */
  readonly path: string
  readonly herder: Herder
}

export interface FlowsOptions extends RestSettings {
  readonly flows: readonly Flow[]
  /** The commit of this build, for `GET /`. */
  readonly commit: string
}

/** From the best to the worst. */
const STATES: readonly HealthStatus[] = ['healthy', 'starting', 'unhealthy']

/**
 * REST of a process that mirrors: what its workers say to those of other processes and what can be read, each flow below
 * a path of its own. Health and metrics of all are at the top. Nothing can be changed: the file of the process says what runs.
 */
export function createFlowsApp(options: FlowsOptions): FastifyInstance {
  const { flows, commit } = options
  const all: Pick<Herder, 'health' | 'metrics'> = {
    health: () => {
      const states = flows.map(({ herder }) => STATES.indexOf(herder.health()))
      return STATES[Math.max(0, ...states)] ?? 'unhealthy'
    },
    metrics: () =>
      flows.flatMap(({ name, herder }) =>
        herder.metrics().map((sample) => ({ ...sample, labels: { ...sample.labels, flow: name } })),
      ),
  }
  const mounts = flows.map(({ path, herder }) => {
    const routes = connectorRoutes(herder).filter(({ method, isInternal }) => method === 'GET' || isInternal)
    return { path, asked: herder, routes: [...serverRoutes(herder, commit), ...routes] }
  })
  return createApp(options, [{ path: '', asked: all, routes: watchRoutes(all) }, ...mounts])
}
