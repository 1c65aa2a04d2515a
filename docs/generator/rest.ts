import type { Herder } from '../../src/connect/index.ts'
import { adminRoutes } from '../../src/rest/admin-routes.ts'
import { connectorRoutes } from '../../src/rest/connector-routes.ts'
import { pluginRoutes } from '../../src/rest/plugin-routes.ts'
import type { Route } from '../../src/rest/route.ts'
import { serverRoutes } from '../../src/rest/server-routes.ts'
import { cell, page, table } from './tables.ts'

/** The route tables ask a herder only when a request comes. */
const nobody = {} as Herder

function section(title: string, routes: readonly Route[]): string {
  const rows = routes.map((route) => [
    route.method,
    `\`${route.path.replaceAll(/:([a-z]+)/g, '{$1}')}\``,
    cell(route.doc),
  ])
  return `## ${title}\n\n${table(['method', 'path', 'does'], rows)}`
}

/** The REST API from its route tables. */
export function restPage(): string {
  const intro = `The REST API of a worker, Kafka Connect's. Every worker takes every request and hands it on where another has
to carry it out. An error is \`{"error_code": <status>, "message": "<what to do>"}\`: 400 for what is wrong with the request,
404 for what does not exist, 405 for a method that a path does not have, 409 for a name that is taken and while the workers
rebalance, 500 and 503 for what is wrong with the worker. The endpoints for offsets are not there yet.`
  return page('REST API', intro, [
    section('Worker', serverRoutes(nobody, '')),
    section('Connectors', connectorRoutes(nobody)),
    section('Plugins', pluginRoutes(nobody)),
    section('Logs', adminRoutes(nobody)),
  ])
}
