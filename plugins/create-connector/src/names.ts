import { builtinModules } from 'node:module'
import { Failure } from './failure.ts'

/** The names of a new package, all made from the one that its author gave. */
export interface Names {
  /** The npm name: `connector-hacker-news` or `@acme/connector-hacker-news`. */
  readonly package: string
  /** The folder: the npm name without its scope. */
  readonly folder: string
  /** What the connector is about, for identifiers in files and configurations: `hacker-news`. */
  readonly subject: string
  /** The same as the beginning of class names: `HackerNews`. */
  readonly className: string
}

const NAME_MAX = 214
const RESERVED = new Set(['node_modules', 'favicon.ico', ...builtinModules])

/** Words that say what a package is, and would be repeated by the names of its classes. */
const AFFIXES = /^(?:millrace-)?(?:connector-|plugin-)?|-(?:connector|plugin|source|sink|transform|converter)$/g

/** Checks the name of a package and makes the other names of it. */
export function namesOf(given: string): Names {
  const name = given.trim()
  const problem = problemOf(name)
  if (problem !== undefined) {
    throw new Failure('BAD_NAME', `"${name}" cannot be the name of a package: ${problem}. Try ${suggestion(name)}`)
  }
  const folder = name.slice(name.indexOf('/') + 1)
  const short = folder.replaceAll(AFFIXES, '')
  const subject = (/^[a-z]/.test(short) ? short : folder).replaceAll(/[._~-]+/g, '-')
  return { package: name, folder, subject, className: pascalCase(subject) }
}

function problemOf(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (name.length > NAME_MAX) return `it has more than ${NAME_MAX} characters`
  if (name !== name.toLowerCase()) return 'npm wants small letters'
  if (!/^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(name)) {
    return 'npm allows small letters, digits and -._~ in it, and a scope such as @acme/ before it'
  }
  const folder = name.slice(name.indexOf('/') + 1)
  if (!/^[a-z]/.test(folder)) return 'class names are made of it, so it must start with a letter'
  if (RESERVED.has(folder)) return 'that name has a meaning in Node.js'
  return undefined
}

/** Something like what was given that would do. */
function suggestion(name: string): string {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[-0-9]+|-+$/g, '')
    .slice(0, NAME_MAX / 2)
  return `connector-${words || 'hacker-news'}`
}

function pascalCase(subject: string): string {
  return subject
    .split('-')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')
}
