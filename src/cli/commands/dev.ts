import type { Command } from 'commander'
import { parseDuration, parsePort } from '../dev/ports.ts'
import { exitAfterLog } from '../logger.ts'
import { UsageError } from '../usage-error.ts'

interface Flags {
  readonly kafkaPort: string
  readonly restPort: string
  readonly for?: string
  readonly rate: string
}

export function define(command: Command): void {
  command
    .option('--kafka-port <port>', 'where the log listens', '9092')
    .option('--rest-port <port>', "where Connect's REST API listens", '8083')
    .option('--for <time>', 'stop after this time, for example 30s, and print a summary')
    .option('--rate <number>', 'business events a second that the sample writer makes', '20')
    .action(async (flags: Flags) => {
      const rate = Number(flags.rate)
      if (!(rate > 0 && rate <= 10_000)) throw new UsageError(`--rate takes 1 to 10000, not "${flags.rate}"`)
      const abort = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort(new Error(signal)))
      const options = {
        kafkaPort: parsePort(flags.kafkaPort, '--kafka-port'),
        restPort: parsePort(flags.restPort, '--rest-port'),
        durationMs: flags.for === undefined ? null : parseDuration(flags.for),
        rate,
        databaseUrl: process.env.DATABASE_URL ?? null,
        signal: abort.signal,
        print: (text: string) => console.log(text),
      }
      // The screen is the live line's; problems are still shown. The processes we start take it over.
      process.env.LOG_LEVEL ??= 'warn'
      const { runDev } = await import('../dev/run-dev.ts')
      await exitAfterLog((await runDev(options)) ? 0 : 1)
    })
}
