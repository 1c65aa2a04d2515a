import type { Command } from 'commander'
import { readConnectorFile } from '../connector-file.ts'
import { collectOverride, readPropertiesFile } from '../properties-file.ts'
import { runConnect } from '../run-connect.ts'

export function define(command: Command): void {
  command
    .argument('<worker.properties>', "Kafka Connect's worker configuration")
    .argument('[connector...]', 'connectors to create: .json or .properties files')
    .option('--override <key=value>', 'a configuration over those of the file; may be repeated', collectOverride, {})
    .action(async (file: string, connectorFiles: string[], options: { override: Record<string, string> }) => {
      const properties = { ...readPropertiesFile(file), ...options.override }
      const connectors = connectorFiles.map(readConnectorFile)
      await runConnect('standalone', properties, async ({ herder }) => {
        for (const { name, config, initialState } of connectors)
          await herder.createConnector(name, config, initialState)
      })
    })
}
