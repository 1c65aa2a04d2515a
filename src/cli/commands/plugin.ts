import type { Command } from 'commander'
import { print } from '../kafka-tool.ts'
import { addPlugin } from '../plugin/add-plugin.ts'
import { auditExitCode, auditPlugins } from '../plugin/audit-plugins.ts'
import { listPlugins } from '../plugin/list-plugins.ts'
import { bundleInstalled, bundlePackage } from '../plugin/make-bundle.ts'
import { directoryOf, type DirectoryOptions, existingDirectoryOf } from '../plugin/plugin-folder.ts'
import { removePlugin } from '../plugin/remove-plugin.ts'
import { addText, auditText, bundleText, listText, removeText } from '../plugin/report.ts'

interface Options extends DirectoryOptions {
  readonly json: boolean
}

export function define(command: Command): void {
  forDirectory(command.command('add'))
    .description('Install a plugin package: of npm, a tarball, a folder or a bundle')
    .argument('<package>', 'name, name@range, a .tgz file, a folder, or what else npm can fetch')
    .option('--require-provenance', 'refuse a package whose build is not attested', false)
    .option('--force', 'replace the same version, or add a class name that another package has', false)
    .action(async (spec: string, options: Options & { requireProvenance: boolean; force: boolean }) => {
      const directory = directoryOf(options)
      const report = await addPlugin(directory, spec, options)
      show(options, report, addText(report, directory))
    })
  forDirectory(command.command('list'))
    .description('Show the installed plugins')
    .action((options: Options) => {
      const directory = existingDirectoryOf(options)
      const packages = listPlugins(directory)
      show(options, packages, listText(packages, directory))
    })
  forDirectory(command.command('remove'))
    .description('Remove a plugin package that no connector uses')
    .argument('<package>', 'name, or name@version where several are installed')
    .option('--worker <url>', 'the REST API of a worker, which knows what is in use')
    .option('--force', 'remove it although connectors use it', false)
    .action(async (spec: string, options: Options & { worker?: string; force: boolean }) => {
      const directory = existingDirectoryOf(options)
      const report = await removePlugin(directory, spec, options)
      show(options, report, removeText(report, directory))
    })
  forDirectory(command.command('audit'))
    .description('Check files, signatures and advisories of the installed plugins')
    .option('--offline', 'only what needs no registry', false)
    .action(async (options: Options & { offline: boolean }) => {
      const directory = existingDirectoryOf(options)
      const packages = await auditPlugins(directory, options.offline)
      show(options, packages, auditText(packages, directory))
      process.exitCode = auditExitCode(packages, options.offline)
    })
  forDirectory(command.command('bundle'))
    .description('Write a package and all it depends on into one file, for machines without a network')
    .argument('<package>', 'what `add` takes; with --dir a package that is installed there')
    .option('--output <file>', 'where to write it; else <name>-<version>-bundle.tgz here')
    .option('--require-provenance', 'refuse a package whose build is not attested', false)
    .action(async (spec: string, options: Options & { output?: string; requireProvenance: boolean }) => {
      const isInstalled = options.dir !== undefined || options.workerConfig !== undefined
      const report = isInstalled
        ? await bundleInstalled(existingDirectoryOf(options), spec, options.output)
        : await bundlePackage(spec, options.output, options.requireProvenance)
      show(options, report, bundleText(report))
    })
}

function forDirectory(command: Command): Command {
  return command
    .option('--dir <folder>', "the plugin directory: an entry of the workers' plugin.path")
    .option('--worker-config <file>', 'a worker.properties; in place of --dir the first entry of its plugin.path')
    .option('--json', 'answer in JSON', false)
}

function show({ json }: Options, data: unknown, text: string): void {
  print(json ? JSON.stringify(data, null, 2) : text)
}
