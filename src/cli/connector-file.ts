import { readFileSync } from 'node:fs'
import { PropertiesError, parseProperties } from '../base/index.ts'
import type { TargetState } from '../connect/index.ts'
import { UsageError } from './usage-error.ts'

/** A connector to create, from a file of `connect-standalone`. */
export interface ConnectorFile {
  readonly name: string
  readonly config: Readonly<Record<string, string>>
  readonly initialState: TargetState
}

const INITIAL_STATES: Readonly<Record<string, TargetState>> = {
  RUNNING: 'STARTED',
  PAUSED: 'PAUSED',
  STOPPED: 'STOPPED',
}

/**
 * Reads a connector from a file in one of the three forms of KIP-980: the body of POST /connectors, a flat JSON map of
 * configuration keys, or Java properties.
 */
export function readConnectorFile(path: string): ConnectorFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
  return parseConnectorFile(path, text)
}

/** The same for the text of a file; `path` is for messages. */
export function parseConnectorFile(path: string, text: string): ConnectorFile {
  if (!text.trimStart().startsWith('{')) return fromFlat(path, propertiesOf(path, text))
  const json = objectOf(path, text)
  const { config } = json
  // Only a create request has an object for `config`: the values of a flat map are text.
  if (typeof config !== 'object' || config === null) return fromFlat(path, textValues(path, json))
  if (typeof json.name !== 'string') throw new UsageError(`${path}: a create request needs \`name\``)
  const state = json.initial_state ?? 'RUNNING'
  const initialState = typeof state === 'string' ? INITIAL_STATES[state.toUpperCase()] : undefined
  if (!initialState) throw new UsageError(`${path}: \`initial_state\` must be RUNNING, PAUSED or STOPPED`)
  return { name: json.name, config: textValues(path, config), initialState }
}

function fromFlat(path: string, config: Readonly<Record<string, string>>): ConnectorFile {
  if (config.name === undefined || config.name === '') {
    throw new UsageError(`${path}: the connector has no \`name\``)
  }
  return { name: config.name, config, initialState: 'STARTED' }
}

function propertiesOf(path: string, text: string): Record<string, string> {
  try {
    return parseProperties(text)
  } catch (error) {
    if (error instanceof PropertiesError) throw new UsageError(`${path}: ${error.message}`)
    throw error
  }
}

function objectOf(path: string, text: string): Record<string, unknown> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // The message of the parser quotes the text, which may hold passwords.
    throw new UsageError(`${path}: starts like JSON and is none`)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new UsageError(`${path}: must hold a JSON object`)
  }
  return json as Record<string, unknown>
}

function textValues(path: string, map: object): Record<string, string> {
  const entries = Object.entries(map as Record<string, unknown>).map(([key, value]): [string, string] => {
    if (typeof value === 'string') return [key, value]
    if (typeof value === 'number' || typeof value === 'boolean') return [key, String(value)]
    throw new UsageError(`${path}: the value of \`${key}\` must be text`)
  })
  return Object.fromEntries(entries)
}
