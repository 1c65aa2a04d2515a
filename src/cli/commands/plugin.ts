import type { Command } from 'commander'
import { print } from '../kafka-tool.ts'
import { addPlugin } from '../plugin/add-plugin.ts'
import { listPlugins } from '../plugin/list-plugins.ts'
import { directoryOf, type DirectoryOptions } from '../plugin/plugin-folder.ts'
import { addText, listText } from '../plugin/report.ts'

interface JsonOption extends DirectoryOptions {
  readonly json?: boolean
}

export function define(command: Command): void {
  forDirectory(command.command('add'))
    .description('Install a plugin package: of npm, a tarball, a folder or a bundle')
    .argument('<package>', 'name, name@range, a .tgz file, a folder, or what else npm can fetch')
    .option('--require-provenance', 'refuse a package whose build is not attested', false)
    .option('--force', 'replace the same version, or add a class name that another package has', false)
    .action(async (spec: string, options: JsonOption & { requireProvenance: boolean; force: boolean }) => {
      const directory = directoryOf(options)
      const report = await addPlugin(directory, spec, options)
      show(options, report, addText(report, directory))
    })
  forDirectory(command.command('list'))
    .description('Show the installed plugins')
    .action((options: JsonOption) => {
      const directory = directoryOf(options)
      const packages = listPlugins(directory)
      show(options, packages, listText(packages, directory))
    })
}

function forDirectory(command: Command): Command {
  return command
    .option('--dir <folder>', "the plugin directory: an entry of the workers' plugin.path")
    .option('--worker-config <file>', 'in place of --dir: the first entry of plugin.path in this worker.properties')
    .option('--json', 'answer in JSON', false)
}

function show({ json }: JsonOption, data: unknown, text: string): void {
  print(json === true ? JSON.stringify(data, null, 2) : text)
}
