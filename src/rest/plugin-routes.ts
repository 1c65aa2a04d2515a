import type { Herder } from '../connect/index.ts'
import { ok } from './reply.ts'
import { configOf, jsonObject, param, queryFlag, queryValue } from './request.ts'
import type { Route } from './route.ts'

/** Endpoints below /connector-plugins. */
export function pluginRoutes(herder: Herder): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/connector-plugins',
      doc: 'The connectors that this worker can run; with `?connectorsOnly=false` also transformations, predicates and converters.',
      handle: async (request) => ok(herder.plugins(queryFlag(request, 'connectorsOnly', true))),
    },
    {
      method: 'GET',
      path: '/connector-plugins/:plugin/config',
      doc: 'The configuration keys of a plugin; with `?version=` those of a version, or of the newest in a range.',
      handle: async (request) =>
        ok(await herder.pluginConfig(param(request, 'plugin'), queryValue(request, 'version'))),
    },
    {
      method: 'PUT',
      path: '/connector-plugins/:plugin/config/validate',
      doc: 'Checks a configuration and answers every key with its value and what is wrong with it; creates nothing.',
      handle: async (request) =>
        ok(await herder.validate(param(request, 'plugin'), configOf(jsonObject(request), 'The request body'))),
    },
  ]
}
