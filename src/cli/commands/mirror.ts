import type { Command } from 'commander'
import { collectOverride, readPropertiesFile } from '../properties-file.ts'
import { runServer } from '../run-connect.ts'

export function define(command: Command): void {
  command
    .argument('<mm2.properties>', "MirrorMaker 2's configuration: clusters and the flows between them")
    .option('--clusters <alias...>', 'the target clusters of this process; all by default')
    .option('--override <key=value>', 'a configuration over those of the file; may be repeated', collectOverride, {})
    .action(async (file: string, options: { clusters?: string[]; override: Record<string, string> }) => {
      const properties = { ...readPropertiesFile(file), ...options.override }
      await runServer(async (context) => {
        const { startMirror } = await import('../mirror/start-mirror.ts')
        return startMirror({ ...context, properties, clusters: options.clusters ?? [] })
      })
    })
}
