import type { Herder } from '../connect/index.ts'
import { ok } from './reply.ts'
import { configOf, jsonObject, param, queryFlag } from './request.ts'
import type { Route } from './route.ts'

/** Endpoints below /connector-plugins. */
export function pluginRoutes(herder: Herder): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/connector-plugins',
      handle: async (request) => ok(herder.plugins(queryFlag(request, 'connectorsOnly', true))),
    },
    {
      method: 'GET',
      path: '/connector-plugins/:plugin/config',
      handle: async (request) => ok(await herder.pluginConfig(param(request, 'plugin'))),
    },
    {
      method: 'PUT',
      path: '/connector-plugins/:plugin/config/validate',
      handle: async (request) =>
        ok(await herder.validate(param(request, 'plugin'), configOf(jsonObject(request), 'The request body'))),
    },
  ]
}
