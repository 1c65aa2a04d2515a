import type { Command } from 'commander'

/** What a command's file exports: it adds arguments, options and the action to its command. */
export interface CommandModule {
  define(command: Command): void
}

export interface CommandEntry {
  readonly name: string
  readonly summary: string
  /** Loads the command's file; only the one that is called is loaded, so that starting stays fast. */
  readonly load: () => Promise<CommandModule>
}

/** Every command of `millrace`, in the order of its help. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'dev',
    summary: 'Run everything in one, with sample data',
    load: () => import('./commands/dev.ts'),
  },
  {
    name: 'dev-plugin',
    summary: 'Run a plugin that you write, with a log, and start it again on each save',
    load: () => import('./commands/dev-plugin.ts'),
  },
  {
    name: 'broker',
    summary: "Run a broker with Kafka's server.properties",
    load: () => import('./commands/broker.ts'),
  },
  {
    name: 'connect-distributed',
    summary: 'Run a worker of a Connect cluster',
    load: () => import('./commands/connect-distributed.ts'),
  },
  {
    name: 'connect-standalone',
    summary: 'Run connectors in a single process',
    load: () => import('./commands/connect-standalone.ts'),
  },
  {
    name: 'mirror',
    summary: "Mirror clusters with MirrorMaker 2's mm2.properties",
    load: () => import('./commands/mirror.ts'),
  },
  {
    name: 'plugin',
    summary: 'Add, list, remove, audit and bundle connector plugins',
    load: () => import('./commands/plugin.ts'),
  },
  {
    name: 'topics',
    summary: 'Create, list, describe, alter and delete topics',
    load: () => import('./commands/topics.ts'),
  },
  {
    name: 'console-producer',
    summary: 'Send the lines of standard input to a topic',
    load: () => import('./commands/console-producer.ts'),
  },
  {
    name: 'console-consumer',
    summary: 'Print the records of a topic',
    load: () => import('./commands/console-consumer.ts'),
  },
  {
    name: 'consumer-groups',
    summary: 'List, describe, reset and delete consumer groups',
    load: () => import('./commands/consumer-groups.ts'),
  },
  {
    name: 'get-offsets',
    summary: 'Print the offsets of partitions',
    load: () => import('./commands/get-offsets.ts'),
  },
  {
    name: 'configs',
    summary: 'Describe and change configurations',
    load: () => import('./commands/configs.ts'),
  },
  {
    name: 'dump-log',
    summary: 'Print the batches of a segment file',
    load: () => import('./commands/dump-log.ts'),
  },
]
