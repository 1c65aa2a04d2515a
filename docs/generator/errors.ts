import type { ConnectErrorCode } from '@millrace/sdk'
import type { ClientErrorName } from '../../src/client/index.ts'
import { HerderError, type HerderErrorCode } from '../../src/connect/index.ts'
import type { LogErrorCode } from '../../src/log/errors.ts'
import { errorByCode } from '../../src/protocol/error-codes.ts'
import { ErrorCode } from '../../src/protocol/generated/errors.ts'
import { cell, code, page, sentence, table } from './tables.ts'

/** Errors that a plugin throws on purpose. A code without a line does not compile. */
const SDK: Readonly<Record<ConnectErrorCode, string>> = {
  CONNECT: 'ConnectError: something failed for good. Also the base of all errors below.',
  RETRIABLE:
    'RetriableError: the same call may succeed later. Tried again as long as `errors.retry.timeout` says; a sink gets the same batch again without end.',
  DATA: 'DataError: a record does not fit. It may be tolerated by `errors.tolerance`.',
  CONFIG: 'ConfigError: a configuration is wrong; `key` names the setting.',
}

/** Failures that the Kafka client finds itself, beside the error names that brokers answer with. */
export const CLIENT: Readonly<Partial<Record<ClientErrorName, string>>> = {
  CLIENT_BAD_RESPONSE: 'A broker answered what the protocol does not allow. The connection is closed.',
  CLIENT_BUFFER_FULL: 'A record was appended although `buffer.memory` is used up; wait for `ready()` first.',
  CLIENT_CLOSED: 'The producer, consumer or client was closed before or while the call ran.',
  CLIENT_CONFIG: 'A setting or a combination of calls is not allowed; the message names it.',
  CLIENT_DISCONNECTED: 'No connection to a broker, or it broke. Tried again.',
  CLIENT_NO_METADATA: 'A topic or broker is not known (yet).',
  CLIENT_NO_RESET_POLICY: 'There is no committed offset, or it is gone, and `auto.offset.reset` is none.',
  CLIENT_NOT_ASSIGNED: 'The partition is not assigned to this consumer.',
  CLIENT_TIMED_OUT: 'The call did not succeed in its time; the message has the last reason.',
  CLIENT_UNSUPPORTED_VERSION: 'The broker does not speak a version of the request that the call needs.',
}

/** Requests that the herder refuses. */
const HERDER: Readonly<Record<HerderErrorCode, string>> = {
  ALREADY_EXISTS: 'A connector of that name exists.',
  BAD_REQUEST: 'The body or a value is wrong.',
  CONFLICT: 'The workers rebalance, or the request does not fit the state. Try again.',
  FORBIDDEN: 'The request is not allowed, or its signature is wrong.',
  NOT_FOUND: 'There is no such connector, task, plugin or path.',
  TIMEOUT: 'The worker did not finish the request in 90 s; it goes on with it.',
  UNAVAILABLE: 'The worker cannot take requests (it starts, or it stops).',
}

/** Faults of a data directory. */
const LOG: Readonly<Record<LogErrorCode, string>> = {
  LOG_CLOSED: 'The log was closed before or while the call ran.',
  LOG_DIRECTORY_INVALID: 'The folder is no data directory of this broker, or a file in it cannot be trusted.',
  LOG_DIRECTORY_LOCKED: 'Another broker uses the data directory.',
  LOG_DIRECTORY_UNUSABLE: 'The data directory cannot be made or written to.',
  LOG_EXISTS: 'A partition that was to be made exists.',
  LOG_STORAGE_FAILED: 'The disk failed. The partition takes no more records until the broker is started again.',
}

/** What stops a process as it starts. */
export const START: Readonly<Record<string, string>> = {
  INVALID_BROKER_CONFIG: "The broker's properties are wrong; every problem is listed.",
  METADATA_FILE_INVALID:
    'The file of topics in the data directory cannot be trusted; starting without it would lose topics.',
  ELOCKED: 'A lock file belongs to another process that lives.',
  INTERNAL_TOPIC: 'An internal topic cannot be used: not compacted, or a wrong number of partitions.',
  OFFSET_FILE: 'The offset file of a standalone worker cannot be read.',
  PLUGIN_DIRECTORY: 'The lock file of a plugin directory cannot be trusted; the worker goes on without its packages.',
  HEADER_RULE: '`response.http.headers.config` cannot be read.',
  GROUP_PROTOCOL: 'Another member of the Connect group sent bytes that are not of its protocol.',
  PROTOCOL_ERROR: 'Bytes that are no message of the Kafka protocol; the connection they came from is closed.',
}

function section(title: string, intro: string, codes: Readonly<Record<string, string>>): string {
  const rows = Object.entries(codes).map(([name, text]) => [code(name), cell(text)])
  return `## ${title}\n\n${intro}\n\n${table(['code', 'meaning'], rows)}`
}

function herderSection(): string {
  const rows = Object.entries(HERDER).map(([name, text]) => {
    return [code(name), String(new HerderError(name as HerderErrorCode, '').status), cell(text)]
  })
  return `## REST\n\nThe body is \`{"error_code": <status>, "message": "..."}\`.\n\n${table(['code', 'status', 'meaning'], rows)}`
}

function kafkaSection(): string {
  const rows = Object.entries(ErrorCode).map(([name, number]) => {
    const { message, retriable } = errorByCode(number)
    return [code(name), String(number), retriable ? 'yes' : '', cell(sentence(message))]
  })
  const intro =
    "Kafka's own table. Its names are codes of the client's errors, its numbers travel in answers of brokers; the built-in " +
    'broker uses those that its APIs need.'
  return `## Kafka\n\n${intro}\n\n${table(['code', 'number', 'retriable', 'meaning'], rows)}`
}

/** Every error code. */
export function errorsPage(): string {
  const intro =
    'Errors have a stable `code`. The text beside it says what was wrong, where, and what to do; it may change. An error ' +
    'without a code of these is unknown, and fatal for the task or process that met it.'
  return page('Errors', intro, [
    section('Plugins', 'Thrown by connectors, transforms and converters (`@millrace/sdk`).', SDK),
    herderSection(),
    section('Kafka client', 'Beside the names of the last table.', CLIENT),
    section('Log', 'Faults of the disk, or of what lies on it.', LOG),
    section('Start and protocol', 'What stops a process or closes a connection.', START),
    kafkaSection(),
  ])
}
