import type { Answers } from './questions.ts'

type Json = Record<string, unknown>

/** package.json of what all have in common, what the type adds, and what the author said. */
export function packageJson(
  texts: { readonly common: string; readonly own: string },
  { names, description, licence, author, repository }: Answers,
  packages: Readonly<Record<string, string>>,
): string {
  const common = JSON.parse(texts.common) as Json
  const own = JSON.parse(texts.own) as Json
  const json: Json = {
    name: names.package,
    version: common['version'],
    description,
    keywords: own['keywords'],
    license: licence,
    ...(author === '' ? {} : { author }),
    ...(repository === undefined ? {} : repositoryKeys(repository)),
    ...common,
    millrace: own['millrace'],
    devDependencies: { ...(common['devDependencies'] as Record<string, string>), ...packages },
  }
  if (licence === 'UNLICENSED') json['private'] = true
  return `${JSON.stringify(json, undefined, 2)}\n`
}

function repositoryKeys(repository: string): Json {
  const url = `https://github.com/${repository}`
  return {
    homepage: `${url}#readme`,
    bugs: `${url}/issues`,
    repository: { type: 'git', url: `git+${url}.git` },
  }
}
