import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { licenceText } from './licence.ts'
import { packageJson } from './package-json.ts'
import type { Answers } from './questions.ts'

/** The same depth below src/ and below dist/, so that the path holds for both. */
const TEMPLATES = fileURLToPath(new URL('../templates', import.meta.url))

/** What the templates are about: they are real code, so what is replaced in them must be names. */
const TEMPLATE_NAMES: Readonly<Record<string, 'package' | 'className' | 'subject'>> = {
  'connector-starling': 'package',
  Starling: 'className',
  starling: 'subject',
}

/** The files of a new package by their paths. */
export function renderTemplate(answers: Answers, packages: Readonly<Record<string, string>>): Map<string, string> {
  const common = filesOf(join(TEMPLATES, 'common'))
  const own = filesOf(join(TEMPLATES, answers.type))
  const files = new Map([...common, ...own].map(([path, text]) => [targetPath(path, answers), rename(text, answers)]))
  files.set('package.json', packageJson(parts(common, own, 'package.json', answers), answers, packages))
  files.set('README.md', readme(parts(common, own, 'README.md', answers), answers))
  const licence = licenceText(answers.licence, answers.author)
  if (licence !== undefined) files.set('LICENSE', licence)
  return files
}

/** A file of which both the type and what all have in common hold a part. */
function parts(
  common: ReadonlyMap<string, string>,
  own: ReadonlyMap<string, string>,
  path: string,
  answers: Answers,
): { readonly common: string; readonly own: string } {
  return { common: rename(common.get(path) ?? '', answers), own: rename(own.get(path) ?? '', answers) }
}

function readme({ own, common }: { own: string; common: string }, { names, description, licence }: Answers): string {
  const text = own.replace(/^# .*\n\n.*\n/, () => `# ${names.package}\n\n${sentence(description)}\n`)
  const terms = licence === 'UNLICENSED' ? 'All rights reserved.' : `${licence}, see [LICENSE](LICENSE).`
  return `${text}\n${common}\n## Licence\n\n${terms}\n`
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function rename(text: string, { names }: Answers): string {
  return text.replaceAll(/connector-starling|[Ss]tarling/g, (found) => names[TEMPLATE_NAMES[found] ?? 'subject'])
}

/** npm leaves files named `.gitignore` out of packages, so the template has it without its dot. */
function targetPath(path: string, answers: Answers): string {
  return path === 'gitignore' ? '.gitignore' : rename(path, answers)
}

function filesOf(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => join(entry.parentPath, entry.name))
  return new Map(paths.map((path) => [path.slice(folder.length + 1).replaceAll('\\', '/'), readFileSync(path, 'utf8')]))
}
