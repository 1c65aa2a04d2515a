import { spawnSync } from 'node:child_process'
import type { Interface } from 'node:readline/promises'
import { Failure } from './failure.ts'
import { type Names, namesOf } from './names.ts'
import { type Licence, LICENCES, oneOf, type Options, PLUGIN_TYPES, type PluginType, repositoryOf } from './options.ts'

/** All that has to be known of a new package. */
export interface Answers {
  readonly names: Names
  readonly type: PluginType
  readonly description: string
  readonly licence: Licence
  readonly author: string
  readonly repository: string | undefined
}

const WHAT: Readonly<Record<PluginType, (subject: string) => string>> = {
  source: (subject) => `Millrace source connector: ${subject} into topics`,
  sink: (subject) => `Millrace sink connector: topics into ${subject}`,
  transform: (subject) => `Millrace transform: ${subject}`,
  converter: (subject) => `Millrace converter: ${subject}`,
}

/** Defaults for what the options leave open; the name has none. */
export function defaultAnswers(options: Options): Answers {
  if (options.name === undefined) {
    throw new Failure('USAGE', 'the name of the package is missing: npm create millrace-connector <name> -- --yes')
  }
  const names = namesOf(options.name)
  const type = options.type ?? 'source'
  return {
    names,
    type,
    description: options.description ?? WHAT[type](names.subject),
    licence: options.licence ?? LICENCES[0],
    author: options.author ?? gitUserName(),
    repository: options.repository,
  }
}

/** Asks for what the options leave open. A wrong answer is explained and asked for again. */
export async function ask(
  options: Options,
  terminal: Interface,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<Answers> {
  const question = async <T>(text: string, read: (answer: string) => T): Promise<T> => {
    for (;;) {
      try {
        return read((await terminal.question(`${text} `, { signal })).trim())
      } catch (error) {
        if (signal.aborted) throw new Failure('INTERRUPTED', 'interrupted')
        if (!(error instanceof Failure)) throw error
        say(error.message)
      }
    }
  }
  const withDefault = (text: string, fallback: string) =>
    question(`${text} [${fallback}]`, (answer) => answer || fallback)

  const names =
    options.name === undefined
      ? await question('Name of the package (such as connector-hacker-news):', namesOf)
      : namesOf(options.name)
  const type =
    options.type ??
    (await question(`Type (${PLUGIN_TYPES.join(', ')}) [source]:`, (answer) => typeOf(answer || 'source')))
  const description = options.description ?? (await withDefault('What does it do?', WHAT[type](names.subject)))
  const licence =
    options.licence ??
    (await question(`Licence (${LICENCES.join(', ')}) [${LICENCES[0]}]:`, (answer) => licenceOf(answer)))
  const author = options.author ?? (await withDefault('Author:', gitUserName()))
  const repository =
    options.repository ??
    (await question('GitHub repository (owner/name; may be left empty until the first release):', repositoryOf))
  return { names, type, description, licence, author, repository }
}

function typeOf(answer: string): PluginType {
  return oneOf('the type', PLUGIN_TYPES, answer) ?? 'source'
}

function licenceOf(answer: string): Licence {
  return oneOf('the licence', LICENCES, answer === '' ? undefined : answer) ?? LICENCES[0]
}

/** What git signs commits with; empty where there is no git or no name. */
function gitUserName(): string {
  const { status, stdout } = spawnSync('git', ['config', 'user.name'], { encoding: 'utf8', timeout: 10_000 })
  return status === 0 ? stdout.trim() : ''
}
