import type { PluginManifest, RawConfig, SourceRecord } from '@millrace/sdk'
import type { TestEvent } from './event.ts'
import type { Limits } from './limits.ts'
import type { RecordParts } from './sink-topic.ts'
import type { SinkCheck } from './sink-checks.ts'
import type { SourceCheck } from './source-checks.ts'

/**
 * What a connector promises about each record. `idempotent`: at least once, and a repetition changes nothing in the
 * target. A source is `exactly-once` when it goes on after a restart with the record after the last committed offset.
 */
export type Guarantee = 'at-most-once' | 'at-least-once' | 'idempotent' | 'exactly-once'

/** A configuration that has to be refused, with a message that names the key. */
export interface InvalidConfig {
  /** Changes to the valid configuration; undefined removes a key. */
  readonly config: Readonly<Record<string, string | undefined>>
  /** The key that is to blame. */
  readonly key: string
  /** A word that the message must have beside the key, for example the part of a URL that is wrong. */
  readonly says?: string
}

/** What every kind of plugin may say of itself to the checks. */
export interface PluginOptions<Name extends string> {
  /** The package.json of the plugin: it is checked, and `conformance.json` is written beside it. */
  readonly packageFile?: URL
  /** The manifest, where the plugin is part of a larger package. */
  readonly manifest?: PluginManifest
  /** Configurations that have to be refused. Values of another type and the like are tried without being asked. */
  readonly invalid?: readonly InvalidConfig[]
  /** Keys that have to be there although the definition has a default for them. */
  readonly required?: readonly string[]
  /** Checks that this plugin cannot pass for a good reason, which is shown to users. */
  readonly notApplicable?: Readonly<Partial<Record<Name, string>>>
  /** Where chance is needed; another seed kills at other points. 1 where it is left out. */
  readonly seed?: number
  readonly limits?: Partial<Limits>
}

/** What both kinds of connectors may say of themselves. */
export interface ConnectorOptions<Name extends string> extends PluginOptions<Name> {
  /**
   * The module of the definition: tasks can then be killed for real, in a process of their own. It is the default export,
   * or that which a fragment names: `new URL('../src/sources.ts#other', import.meta.url)`.
   */
  readonly module?: URL
  /** For connectors that use `context.kafka`: the module whose default export gives them their clients. */
  readonly kafka?: URL
  /** What the connector promises; at-least-once where neither this nor the manifest says it. */
  readonly guarantee?: Guarantee
}

/** The system that a source reads, fresh for one check. */
export interface SourceSystem {
  /** The configuration of a connector that reads it. */
  readonly config: RawConfig
  /**
   * Makes these events happen, in this order. Left out where the source makes its data itself. Sources that promise
   * at-most-once get events only while a task runs: what happens at other times may be lost.
   */
  produce?(events: readonly TestEvent[]): Promise<void> | void
  /** Removes the things of these events; the source then gives records without a value. */
  remove?(events: readonly TestEvent[]): Promise<void> | void
  /** Changes the shape of events that come from now on, such as a new column. */
  evolve?(): Promise<void> | void
  /** Makes the system unreachable, and reachable again. */
  outage?(): Promise<void> | void
  restore?(): Promise<void> | void
  /** Called after a task was abandoned: what the end of its process would have done, such as closing its connections. */
  abandoned?(): Promise<void> | void
  close?(): Promise<void> | void
}

export interface SourceOptions extends ConnectorOptions<SourceCheck> {
  /** A fresh system with nothing in it. */
  readonly open: () => Promise<SourceSystem> | SourceSystem
  /** False where a source keeps no order within its source partitions. */
  readonly ordered?: boolean
  /** For sources that make their data themselves: what tells one record from another. Its topic, key and value if left out. */
  readonly identify?: (record: SourceRecord) => string
}

/** The system that a sink writes to, fresh for one check. */
export interface SinkSystem {
  /** The configuration of a connector that writes `topic` to it. */
  readonly config: RawConfig
  /** All that is there, one entry a row, document, line or message, in its order if it has one. Ids of events must be in it. */
  read(): Promise<readonly unknown[]> | readonly unknown[]
  /** Makes the system unreachable, and reachable again. */
  outage?(): Promise<void> | void
  restore?(): Promise<void> | void
  /** Called after a task was abandoned: what the end of its process would have done, such as closing its connections. */
  abandoned?(): Promise<void> | void
  close?(): Promise<void> | void
}

export interface SinkOptions extends ConnectorOptions<SinkCheck> {
  /** A fresh system with nothing in it, for a connector that reads this topic. */
  readonly open: (topic: string) => Promise<SinkSystem> | SinkSystem
  /** `append`: each record adds an entry. `latest`: the target has the last record of each key. */
  readonly target?: 'append' | 'latest'
  /** False where `read` has no order, or the target has none. Only looked at with `append`. */
  readonly ordered?: boolean
  /** The record that carries an event. A struct with a schema where it is left out. */
  readonly record?: (event: TestEvent) => RecordParts
  /** The same in a later shape, for example with one more field. */
  readonly evolved?: (event: TestEvent) => RecordParts
  /** A record that this sink can never write. */
  readonly bad?: (event: TestEvent) => RecordParts
  /** What a record without a value does. `delete`: its key leaves the target. `write`: it is kept. `refuse`: it is a bad record. */
  readonly tombstones?: 'delete' | 'ignore' | 'write' | 'refuse'
}
