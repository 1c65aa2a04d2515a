import { type Herder, HerderError, type TargetState } from '../connect/index.ts'
import { type Answer, empty, ok } from './reply.ts'
import {
  addressOf,
  configOf,
  jsonObject,
  param,
  patchOf,
  queryFlag,
  queryValues,
  type RestRequest,
  taskParam,
} from './request.ts'
import type { Route } from './route.ts'

const CREATE_FIELDS = new Set(['name', 'config', 'initial_state'])
const INITIAL_STATES: Readonly<Record<string, TargetState>> = {
  RUNNING: 'STARTED',
  PAUSED: 'PAUSED',
  STOPPED: 'STOPPED',
}
/** Longer names would not fit the keys of the internal topics and the metric labels sensibly. */
const NAME_LENGTH_MAX = 1024

interface CreateRequest {
  readonly name: string
  readonly config: Readonly<Record<string, string>>
  readonly initialState: TargetState
}

function badRequest(message: string): HerderError {
  return new HerderError('BAD_REQUEST', message)
}

function checkName(name: string): string {
  if (name === '') throw badRequest('Invalid value  for configuration name: String may not be empty')
  if (/\p{Cc}/u.test(name)) {
    throw badRequest('Invalid value for configuration name: String may not contain control sequences')
  }
  if (name === '.' || name === '..') throw badRequest(`A connector cannot be named ${name}: no URL could name it`)
  if (name.length > NAME_LENGTH_MAX) throw badRequest(`The name is longer than ${NAME_LENGTH_MAX} characters`)
  return name
}

function createRequestOf(request: RestRequest): CreateRequest {
  const json = jsonObject(request)
  const unknown = Object.keys(json).filter((key) => !CREATE_FIELDS.has(key))
  if (unknown.length > 0) {
    throw badRequest(
      `Unknown field ${unknown.map((key) => `\`${key}\``).join(', ')}; the request has \`name\`, \`config\` and \`initial_state\``,
    )
  }
  if (json.config === undefined || json.config === null) {
    throw badRequest('The request lacks `config`: a JSON object with at least `connector.class`')
  }
  const config = configOf(json.config, '`config`')
  const given = json.name ?? config.name
  if (typeof given !== 'string') throw badRequest('The request lacks `name`: the name of the connector as text')
  const name = checkName(given.trim())
  const state = json.initial_state ?? 'RUNNING'
  const initialState = typeof state === 'string' ? INITIAL_STATES[state.toUpperCase()] : undefined
  if (!initialState) throw badRequest('`initial_state` must be RUNNING, PAUSED or STOPPED')
  return { name, config, initialState }
}

async function list(herder: Herder, request: RestRequest): Promise<Answer> {
  const names = herder.connectors()
  const expand = queryValues(request, 'expand')
  if (expand.length === 0) return ok(names)
  const entries: [string, object][] = []
  for (const name of names) entries.push([name, await expanded(herder, name, expand)])
  return ok(Object.fromEntries(entries))
}

/** A connector may vanish, or have no status yet, between the list and the look at it: then that part is left out. */
async function expanded(herder: Herder, name: string, expand: readonly string[]): Promise<object> {
  const result: { status?: unknown; info?: unknown } = {}
  try {
    if (expand.includes('status')) result.status = herder.connectorStatus(name)
  } catch (error) {
    if (!(error instanceof HerderError)) throw error
  }
  try {
    if (expand.includes('info')) result.info = await herder.connectorInfo(name)
  } catch (error) {
    if (!(error instanceof HerderError)) throw error
  }
  return result
}

function location(request: RestRequest, name: string): Record<string, string> {
  return { location: addressOf(request, `/connectors/${encodeURIComponent(name)}`) }
}

async function create(herder: Herder, request: RestRequest): Promise<Answer> {
  const { name, config, initialState } = createRequestOf(request)
  const info = await herder.createConnector(name, config, initialState)
  return { status: 201, body: info, headers: location(request, name) }
}

async function putConfig(herder: Herder, request: RestRequest): Promise<Answer> {
  const name = checkName(param(request, 'connector'))
  const { created, info } = await herder.putConnectorConfig(name, configOf(jsonObject(request), 'The request body'))
  return created ? { status: 201, body: info, headers: location(request, name) } : ok(info)
}

async function restart(herder: Herder, request: RestRequest): Promise<Answer> {
  const name = param(request, 'connector')
  const includeTasks = queryFlag(request, 'includeTasks', false)
  const onlyFailed = queryFlag(request, 'onlyFailed', false)
  if (!includeTasks && !onlyFailed) {
    await herder.restartConnector(name)
    return empty(204)
  }
  return { status: 202, body: await herder.restartConnectorAndTasks(name, includeTasks, onlyFailed) }
}

async function setTarget(herder: Herder, request: RestRequest, target: TargetState, status: number): Promise<Answer> {
  await herder.setTarget(param(request, 'connector'), target)
  return empty(status)
}

function internalRequest(request: RestRequest) {
  return {
    body: request.body,
    signature: request.headers['x-connect-authorization'],
    algorithm: request.headers['x-connect-request-signature-algorithm'],
  }
}

/** Endpoints below /connectors. */
export function connectorRoutes(herder: Herder): readonly Route[] {
  const base = '/connectors/:connector'
  return [
    {
      method: 'GET',
      path: '/connectors',
      doc: 'The names of the connectors. `?expand=status` and `?expand=info` give both for each.',
      handle: (request) => list(herder, request),
    },
    {
      method: 'POST',
      path: '/connectors',
      doc: 'Creates a connector of `name`, `config` and, if it shall not run yet, `initial_state`. Answers 201.',
      handle: (request) => create(herder, request),
    },
    {
      method: 'GET',
      path: base,
      doc: 'Name, configuration, tasks and type of a connector. Passwords are `[hidden]`.',
      handle: async (request) => ok(await herder.connectorInfo(param(request, 'connector'))),
    },
    {
      method: 'DELETE',
      path: base,
      doc: 'Deletes a connector and stops its tasks. Its offsets stay.',
      handle: async (request) => {
        await herder.deleteConnector(param(request, 'connector'))
        return empty(204)
      },
    },
    {
      method: 'GET',
      path: `${base}/config`,
      doc: 'The configuration of a connector. Passwords are `[hidden]`.',
      handle: async (request) => ok((await herder.connectorInfo(param(request, 'connector'))).config),
    },
    {
      method: 'PUT',
      path: `${base}/config`,
      doc: 'Creates a connector (201) or replaces its configuration (200). A password given as `[hidden]` keeps its value.',
      handle: (request) => putConfig(herder, request),
    },
    {
      method: 'PATCH',
      path: `${base}/config`,
      doc: 'Changes single keys of the configuration; null removes a key.',
      handle: async (request) =>
        ok(await herder.patchConnectorConfig(param(request, 'connector'), patchOf(jsonObject(request)))),
    },
    {
      method: 'GET',
      path: `${base}/status`,
      doc: 'State, worker and version of the connector and each of its tasks; `trace` for those that failed.',
      handle: async (request) => ok(herder.connectorStatus(param(request, 'connector'))),
    },
    {
      method: 'GET',
      path: `${base}/tasks`,
      doc: 'The tasks of a connector with their configurations. Passwords are `[hidden]`.',
      handle: async (request) => ok(await herder.taskInfos(param(request, 'connector'))),
    },
    {
      method: 'POST',
      path: `${base}/tasks`,
      doc: 'From worker to worker, signed: the configurations of the tasks.',
      isInternal: true,
      handle: async (request) => {
        await herder.putTaskConfigs(param(request, 'connector'), internalRequest(request))
        return empty(204)
      },
    },
    {
      method: 'GET',
      path: `${base}/tasks/:task/status`,
      doc: 'State of one task.',
      handle: async (request) => ok(herder.taskStatus(param(request, 'connector'), taskParam(request))),
    },
    {
      method: 'POST',
      path: `${base}/tasks/:task/restart`,
      doc: 'Restarts one task.',
      handle: async (request) => {
        await herder.restartTask(param(request, 'connector'), taskParam(request))
        return empty(204)
      },
    },
    {
      method: 'POST',
      path: `${base}/restart`,
      doc: 'Restarts the connector (204); with `?includeTasks=true` its tasks too, with `?onlyFailed=true` only what failed (202).',
      handle: (request) => restart(herder, request),
    },
    {
      method: 'PUT',
      path: `${base}/pause`,
      doc: 'Pauses the connector and its tasks; they keep their resources.',
      handle: (request) => setTarget(herder, request, 'PAUSED', 202),
    },
    {
      method: 'PUT',
      path: `${base}/resume`,
      doc: 'Runs a paused or stopped connector again.',
      handle: (request) => setTarget(herder, request, 'STARTED', 202),
    },
    {
      method: 'PUT',
      path: `${base}/stop`,
      doc: 'Stops the connector and ends its tasks; the configuration and the offsets stay.',
      handle: (request) => setTarget(herder, request, 'STOPPED', 204),
    },
    {
      method: 'GET',
      path: `${base}/topics`,
      doc: 'The topics that the connector has used (KIP-558).',
      handle: async (request) => {
        const name = param(request, 'connector')
        return ok({ [name]: { topics: herder.topics(name) } })
      },
    },
    {
      method: 'PUT',
      path: `${base}/topics/reset`,
      doc: 'Forgets the topics that the connector has used.',
      handle: async (request) => {
        await herder.resetTopics(param(request, 'connector'))
        return empty(202)
      },
    },
    {
      method: 'PUT',
      path: `${base}/fence`,
      doc: 'From worker to worker, signed: fences the producers of a source that is exactly once.',
      isInternal: true,
      handle: async (request) => {
        await herder.fence(param(request, 'connector'), internalRequest(request))
        return empty(204)
      },
    },
  ]
}
