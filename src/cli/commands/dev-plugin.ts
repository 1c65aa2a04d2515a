import { resolve } from 'node:path'
import type { Command } from 'commander'
import { parseDuration, parsePort } from '../dev/ports.ts'
import { repeated } from '../kafka-tool.ts'
import { exitAfterLog } from '../logger.ts'

interface Flags {
  readonly connector?: string[]
  readonly kafkaPort: string
  readonly restPort: string
  readonly for?: string
}

export function define(command: Command): void {
  command
    .argument('[folder]', 'the package: a folder with a package.json that has a `millrace` key', '.')
    .option(
      '--connector <file>',
      'a connector to create, .json or .properties; may be repeated; without it all of examples/',
      repeated,
    )
    .option('--kafka-port <port>', 'where the log listens', '9092')
    .option('--rest-port <port>', "where Connect's REST API listens", '8083')
    .option('--for <time>', 'stop after this time, for example 30s')
    .action(async (folder: string, flags: Flags) => {
      const durationMs = flags.for === undefined ? null : parseDuration(flags.for)
      const abort = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort(new Error(signal)))
      // The broker is to be heard only when something is wrong.
      process.env.LOG_LEVEL ??= 'warn'
      const { runDevPlugin } = await import('../dev/plugin/run-dev-plugin.ts')
      await runDevPlugin({
        folder: resolve(folder),
        connectorFiles: flags.connector?.map((file) => resolve(file)),
        kafkaPort: parsePort(flags.kafkaPort, '--kafka-port'),
        restPort: parsePort(flags.restPort, '--rest-port'),
        durationMs,
        signal: abort.signal,
        print: (text: string) => console.log(text),
      })
      await exitAfterLog(0)
    })
}
