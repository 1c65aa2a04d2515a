import { type Herder, HerderError } from '../connect/index.ts'
import { empty, ok } from './reply.ts'
import { jsonObject, param, queryValue } from './request.ts'
import type { Route } from './route.ts'

/** Endpoints below /admin: the levels of the loggers. */
export function adminRoutes(herder: Herder): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/admin/loggers',
      doc: 'The loggers whose level was set, with their levels.',
      handle: async () => ok(herder.loggers()),
    },
    {
      method: 'GET',
      path: '/admin/loggers/:logger',
      doc: 'The level of one logger.',
      handle: async (request) => ok(herder.logger(param(request, 'logger'))),
    },
    {
      method: 'PUT',
      path: '/admin/loggers/:logger',
      doc: 'Sets the `level` of a logger on this worker, with `?scope=cluster` on all.',
      handle: async (request) => {
        const { level } = jsonObject(request)
        if (typeof level !== 'string') {
          throw new HerderError('BAD_REQUEST', "Desired 'level' parameter was not specified in request.")
        }
        const scope = queryValue(request, 'scope')?.toLowerCase() === 'cluster' ? 'cluster' : 'worker'
        const changed = await herder.setLogger(param(request, 'logger'), level, scope)
        return scope === 'cluster' ? empty(204) : ok(changed)
      },
    },
  ]
}
