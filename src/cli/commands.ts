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
]
