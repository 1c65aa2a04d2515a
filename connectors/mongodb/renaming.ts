import { compileRegex, DataError, fullMatch } from '@millrace/sdk'
import { checkedName, type Document, isDocument } from './documents.ts'
import { entriesOf, jsReplacement } from './rename-rules.ts'

/** The new name of a field by the path of its document, such as `value.a`, and its name. */
type Rename = (parent: string, name: string) => string

/** Renames the fields of a document, and of documents within it, by their paths. Throws DataError. */
export type Renaming = (document: Document, side: 'key' | 'value') => void

/** Renames by `field.renamer.mapping`; undefined where that is empty. */
export function renamingByMapping(text: string): Renaming | undefined {
  const names = new Map<string, string>()
  for (const { oldName, newName } of entriesOf(text, 'field.renamer.mapping', ['oldName', 'newName'])) {
    names.set(oldName!, newName!)
  }
  return renaming(names.size, (parent, name) => names.get(`${parent}.${name}`) ?? name)
}

/** Renames by `field.renamer.regexp`: by each rule that fits the path, one after the other. Undefined where there is none. */
export function renamingByRegex(text: string): Renaming | undefined {
  const keys = ['regexp', 'pattern', 'replace'] as const
  const rules = entriesOf(text, 'field.renamer.regexp', keys).map((entry) => {
    const pattern = compileRegex(entry['pattern']!, 'g')
    return { matches: fullMatch(entry['regexp']!), pattern, replace: jsReplacement(entry['replace']!, pattern) }
  })
  return renaming(rules.length, (parent, name) => {
    let renamed = name
    for (const { matches, pattern, replace } of rules) {
      if (matches(`${parent}.${name}`)) renamed = renamed.replace(pattern, replace)
    }
    return renamed
  })
}

function renaming(rules: number, rename: Rename): Renaming | undefined {
  return rules === 0 ? undefined : (document, side) => renameIn(document, side, rename)
}

/** As the original: a field that has the new name already stays, and the renamed one is gone. */
function renameIn(document: Document, parent: string, rename: Rename): void {
  const moved: Document = {}
  for (const [name, value] of Object.entries(document)) {
    const renamed = rename(parent, name)
    if (renamed !== name) {
      if (Object.hasOwn(moved, renamed)) throw new DataError(`two fields of ${parent} would be called ${renamed}`)
      if (!Object.hasOwn(document, renamed)) moved[checkedName(renamed)] = value
      delete document[name]
    }
    if (isDocument(value)) renameIn(value, `${parent}.${renamed}`, rename)
  }
  Object.assign(document, moved)
}
