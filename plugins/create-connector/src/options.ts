import { parseArgs } from 'node:util'
import { Failure } from './failure.ts'

export const PLUGIN_TYPES = ['source', 'sink', 'transform', 'converter'] as const
export type PluginType = (typeof PLUGIN_TYPES)[number]

export const LICENCES = ['Apache-2.0', 'MIT', 'UNLICENSED'] as const
export type Licence = (typeof LICENCES)[number]

/** What the command line says; undefined is to be asked for, or gets its default. */
export interface Options {
  readonly name: string | undefined
  readonly type: PluginType | undefined
  readonly description: string | undefined
  readonly licence: Licence | undefined
  readonly author: string | undefined
  /** `owner/name` on GitHub. */
  readonly repository: string | undefined
  /** Where packages are taken from instead of the registry, by name. */
  readonly packages: Readonly<Record<string, string>>
  readonly install: boolean
  readonly yes: boolean
  readonly json: boolean
  readonly help: boolean
  readonly version: boolean
}

export const HELP = `npm create millrace-connector [name] -- [options]

Makes an npm package with a connector, transform or converter for Millrace: types, a conformance test, a README whose
option tables follow from the code, workflows for CI and for releases with provenance. It is installed, built and tested
before it is there; when that fails nothing is left behind.

  [name]                   name of the package, such as connector-hacker-news or @acme/connector-hacker-news
  --type <type>            ${PLUGIN_TYPES.join(', ')}
  --description <text>     one sentence for package.json and README
  --license <licence>      ${LICENCES.join(', ')}; default ${LICENCES[0]}
  --author <name>          for package.json and the licence; default is what git knows
  --repository <owner/name>  on GitHub; npm compares it with the provenance of a release
  --no-install             writes the files only: nothing is installed, built or tested
  --package <name=spec>    takes a package from elsewhere, such as @millrace/sdk=file:/tmp/sdk.tgz; may be repeated
  --yes, -y                asks nothing: what is not given gets its default
  --json                   asks nothing and prints one JSON object
  --help, --version`

/** Reads the command line; throws a Failure that names the option which is wrong. */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args)
  if (positionals.length > 1) {
    throw new Failure('USAGE', `one name is expected, not ${positionals.length}: ${positionals.join(' ')}`)
  }
  return {
    name: positionals[0],
    type: oneOf('--type', PLUGIN_TYPES, values.type),
    description: values.description,
    licence: oneOf('--license', LICENCES, values.license),
    author: values.author,
    repository: repositoryOf(values.repository),
    packages: Object.fromEntries((values.package ?? []).map(packageSpec)),
    install: !(values['no-install'] ?? false),
    yes: values.yes ?? false,
    json: values.json ?? false,
    help: values.help ?? false,
    version: values.version ?? false,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        type: { type: 'string' },
        description: { type: 'string' },
        license: { type: 'string' },
        author: { type: 'string' },
        repository: { type: 'string' },
        package: { type: 'string', multiple: true },
        'no-install': { type: 'boolean' },
        yes: { type: 'boolean', short: 'y' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new Failure('USAGE', `${error instanceof Error ? error.message : String(error)}. --help shows the options`)
  }
}

/** Finds a value whatever its case, so that `mit` is a licence. */
export function oneOf<T extends string>(option: string, legal: readonly T[], text: string | undefined): T | undefined {
  if (text === undefined) return undefined
  const found = legal.find((value) => value.toLowerCase() === text.trim().toLowerCase())
  if (found === undefined) throw new Failure('USAGE', `${option} takes ${legal.join(', ')}, not "${text}"`)
  return found
}

/** `owner/name` of that or of a GitHub URL. */
export function repositoryOf(text: string | undefined): string | undefined {
  if (text === undefined || text.trim() === '') return undefined
  const match = /^(?:https:\/\/github\.com\/|git@github\.com:)?([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(text.trim())
  if (!match?.[1]) throw new Failure('USAGE', `--repository takes owner/name on GitHub, not "${text}"`)
  return match[1]
}

function packageSpec(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) {
    throw new Failure('USAGE', `--package takes name=spec, such as @millrace/sdk=file:/tmp/sdk.tgz, not "${text}"`)
  }
  return [text.slice(0, at), text.slice(at + 1)]
}
