import type { Command } from 'commander'
import { collectOverride, readPropertiesFile } from '../properties-file.ts'
import { runConnect } from '../run-connect.ts'

export function define(command: Command): void {
  command
    .argument('<worker.properties>', "Kafka Connect's worker configuration")
    .option('--override <key=value>', 'a configuration over those of the file; may be repeated', collectOverride, {})
    .action(async (file: string, options: { override: Record<string, string> }) => {
      await runConnect('distributed', { ...readPropertiesFile(file), ...options.override })
    })
}
