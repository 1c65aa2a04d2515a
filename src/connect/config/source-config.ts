import { defineConfig } from '@millrace/sdk'
import { checkAliases, commonConnectorConfig } from './common-config.ts'
import { runtimeConnectorConfig } from '../worker/runtime-config.ts'

/** What the framework reads of a source connector's configuration. */
export const sourceConnectorConfig = defineConfig({
  ...commonConnectorConfig,
  'topic.creation.groups': {
    type: 'list',
    default: [],
    validate: checkAliases,
    importance: 'low',
    doc: 'Groups of configurations for topics created by source connectors',
    group: 'Topic Creation',
    order: 1,
    width: 'long',
    displayName: 'Topic Creation Groups',
  },
  'exactly.once.support': {
    type: 'string',
    default: 'requested',
    oneOf: ['required', 'requested'],
    ignoreCase: true,
    importance: 'medium',
    doc:
      'Permitted values are requested, required. If set to "required", forces a preflight check for the ' +
      'connector to ensure that it can provide exactly-once semantics with the given configuration. Some ' +
      'connectors may be capable of providing exactly-once semantics but not signal to Connect that they ' +
      'support this; in that case, documentation for the connector should be consulted carefully before ' +
      'creating it, and the value for this property should be set to "requested". Additionally, if the ' +
      'value is set to "required" but the worker that performs preflight validation does not have ' +
      'exactly-once support enabled for source connectors, requests to create or validate the connector ' +
      'will fail.',
    group: 'Exactly Once Support',
    order: 2,
    width: 'short',
    displayName: 'Exactly once support',
  },
  'transaction.boundary': {
    type: 'string',
    default: 'poll',
    oneOf: ['interval', 'poll', 'connector'],
    ignoreCase: true,
    importance: 'medium',
    doc:
      "Permitted values are: poll, interval, connector. If set to 'poll', a new producer transaction will " +
      'be started and committed for every batch of records that each task from this connector provides to ' +
      "Connect. If set to 'connector', relies on connector-defined transaction boundaries; note that not " +
      'all connectors are capable of defining their own transaction boundaries, and in that case, attempts ' +
      "to instantiate a connector with this value will fail. Finally, if set to 'interval', commits " +
      'transactions only after a user-defined time interval has passed.',
    group: 'Exactly Once Support',
    order: 3,
    width: 'short',
    displayName: 'Transaction Boundary',
  },
  'transaction.boundary.interval.ms': {
    type: 'long',
    default: null,
    min: 0,
    importance: 'low',
    doc:
      "If 'transaction.boundary' is set to 'interval', determines the interval for producer transaction " +
      'commits by connector tasks. If unset, defaults to the value of the worker-level ' +
      "'offset.flush.interval.ms' property. It has no effect if a different transaction.boundary is " +
      'specified.',
    group: 'Exactly Once Support',
    order: 4,
    width: 'short',
    displayName: 'Transaction boundary interval',
  },
  'offsets.storage.topic': {
    type: 'string',
    default: null,
    nonEmpty: true,
    importance: 'low',
    doc:
      'The name of a separate offsets topic to use for this connector. If empty or not specified, the ' +
      'worker’s global offsets topic name will be used. If specified, the offsets topic will be created if ' +
      'it does not already exist on the Kafka cluster targeted by this connector (which may be different ' +
      "from the one used for the worker's global offsets topic if the bootstrap.servers property of the " +
      "connector's producer has been overridden from the worker's). Only applicable in distributed mode; in " +
      'standalone mode, setting this property will have no effect.',
    group: 'offsets.topic',
    order: 1,
    width: 'long',
    displayName: 'Offsets topic',
  },
  // Millrace's own keys come last, so that what Kafka's clients know stays where it is.
  ...runtimeConnectorConfig,
})
